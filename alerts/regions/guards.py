"""What the words around a name say against it: people, papers and clubs, everyday words, birds, and the other Georgia."""

from __future__ import annotations

from typing import NamedTuple

from alerts.regions.candidates import Candidate
from alerts.regions.gazetteer import TOWNS
from alerts.regions.line import Line
from alerts.regions.roles import Role

_BIRD = frozenset("recipe recipes breast dinner sandwich sandwiches hunting leg trot bacon meat stuffing roast roasted wild cook".split())
_NOT_NAMES = frozenset(  # capitalised words that may stand beside a place without making it a person
    "king queen prince princess president minister prime foreign army police government court river parliament border "
    "ambassador and or the of in to from for with at on by against north south east west northern southern eastern western "
    "central st says said mr is as after over near city county state province governor mayor senate university airport "
    "war talks deal crisis vote votes election elections news live team club coach former new man woman officials chief judge "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september "
    "october november december bank health department school hospital center island islands beach bay lake valley street road "
    "labour conservative conservatives tory tories democrat democrats republican republicans councillor councillors mp mps".split()
)
_STATE_OF_GEORGIA = frozenset(
    "atlanta savannah augusta athens macon fulton kemp bulldogs peach senate runoff governor gov county southern carolina alabama florida "
    "tennessee texas trump biden republican democrat democrats republicans voters ossoff warnock abrams tech ga u.s us georgia's".split()
)
_COUNTRY_OF_GEORGIA = frozenset(
    "tbilisi georgian abkhazia ossetia russia russian caucasus armenia azerbaijan batumi eu nato kobakhidze ivanishvili saakashvili "
    "ukraine moldova turkey parliament lari".split()
)
_STREETS = frozenset("street st road rd avenue ave lane ln boulevard blvd drive crescent terrace parkway pkwy".split())
_AVENUES = frozenset("avenida calle paseo plaza carretera rue rua avenue boulevard viale piazza ulica jalan".split())
_OF_THE = frozenset("de la las los del du des da do della di".split())
_NAMESAKES = frozenset("hurricane typhoon cyclone storm uss hms mv".split())  # storms and ships are called after places
_CALLED = frozenset("named called nicknamed dubbed aka alias".split())
_SETTLEMENTS = frozenset("place town village city hamlet settlement area district neighborhood neighbourhood suburb island region".split())
_TEAMS = frozenset("state city united town".split())
_ARTICLES = frozenset(
    "al el ul bin ibn abu abou umm jebel jabal djebel jabbal wadi tell tel tall deir beit bayt kafr kfar ain ayn khan".split()
)
_JOINED = frozenset("al el ul bin ibn abu".split())
_ARABIC = "a part of a longer Arabic name"  # as "Wadi al Qasab", "Tell Abyad"
# Words in front of a name, and behind it, that may make another name of it; the others are not looked into.
_IN_FRONT = _NAMESAKES | _CALLED | _AVENUES | _OF_THE | _ARTICLES | {"royal", "as"}
_BEHIND = _STREETS | _TEAMS | _JOINED
_LETTERS = frozenset("a e i k o s u v w y z à в к о с у і з".split())  # words of one letter: a capital at the head of a line is no initial
_QUOTES = frozenset("\"“”«»'‘’")
_SURNAMES = frozenset("jordan holland ireland england houston dallas france israel chad london berlin washington lincoln jackson".split())
_METROPOLES = frozenset("london paris berlin sydney milan houston dallas denver austin".split())  # far more often the city than a person


class Doubt(NamedTuple):
    """How much to take off a reading's score, and what speaks against it; 1 = it is no place here."""

    minus: float
    why: str = ""
    is_person: bool = False  # it is the name of somebody, here and wherever the text says it again


_NONE = Doubt(0.0)


def doubt(found: Candidate, line: Line, role: Role, common: dict[str, frozenset[str]]) -> Doubt:
    """What speaks against a name in this place, whatever it means.

    Args:
        found: The name.
        line: The line it stands in.
        role: What it does in its sentence.
        common: Kind of word -> words, of own_words.txt.
    """
    place = found.readings[0].place
    is_latin = found.key[:1].isascii()
    if is_latin and (against := _longer(found, line, role, common)).minus:
        return against
    if found.first == found.last and (against := _word(found, line, role, common)).minus:
        return against
    if not is_latin:
        is_quoted = place.kind != "country" and not role.word and found.key[0] > "\u0590" and _is_quoted(found, line)
        return Doubt(0.6, "the name of something, in quotation marks", True) if is_quoted else _NONE
    if (person := _person(found, line, common)).minus:
        return person
    is_short = found.first == found.last and len(found.key) < 5 and found.shown.isupper() and not line.is_shouted
    return Doubt(0.5, "may be an abbreviation") if is_short and found.first and place.kind != "country" else _NONE


def _longer(found: Candidate, line: Line, role: Role, common: dict[str, frozenset[str]]) -> Doubt:
    """Whether the words around make another name of it: a paper or firm, a street, a team, an Arabic place."""
    before, after, kind = line.word(found.first - 1), line.word(found.last + 1), found.readings[0].place.kind
    if before in _IN_FRONT and (against := _in_front(before, found, line)).minus:
        return against
    if (after in _BEHIND or after in common["brand"] or after[:1].isdigit()) and (against := _behind(after, found, line, common)).minus:
        return against
    if kind == "country":
        return _NONE
    if not role.is_spatial and line.is_match and any(reading.place.kind in TOWNS for reading in found.readings):
        return Doubt(0.5, "a team in a match")
    if kind in TOWNS and found.last > found.first and line.written[found.last][:1].islower():
        return Doubt(0.5, "its last word is no name")
    return _NONE


def _in_front(before: str, found: Candidate, line: Line) -> Doubt:
    """What a word in front of a name makes of it."""
    is_title = line.is_capital(found.first - 1) and line.gap(found.first - 1) == " "
    if _is_avenue(found, line):
        return Doubt(1.0, "a street's name")
    if before in _NAMESAKES and is_title:
        return Doubt(1.0, "the name of a storm or ship")
    if found.readings[0].place.kind == "country":
        return _NONE
    if before == "royal" and is_title and line.is_capital(found.last + 1):
        return Doubt(0.6, "a royal foundation called so")
    if _is_alias(found, line):
        return Doubt(0.6, "somebody or something called so")
    is_led = before in _ARTICLES and line.is_capital(found.first - 1) and line.gap(found.first - 1) in (" ", "-")
    return Doubt(0.5, _ARABIC) if is_led and found.first == found.last else _NONE


def _behind(after: str, found: Candidate, line: Line, common: dict[str, frozenset[str]]) -> Doubt:
    """What the word behind a name makes of it."""
    if after in common["brand"] and line.is_capital(found.last + 1) and line.gap(found.last) == " ":
        return Doubt(1.0, f'"{found.shown} {after.title()}" is a name of its own')
    if _is_street(after, found, line):
        return Doubt(1.0, "a street's name")
    if found.readings[0].place.kind == "country":
        return _NONE
    if _is_result(found.last + 1, line) or (after in _TEAMS and _is_result(found.last + 2, line)):
        return Doubt(0.6, "a team with its result")
    is_followed = after in _JOINED and line.gap(found.last) in (" ", "-")
    return Doubt(0.5, _ARABIC) if is_followed and found.first == found.last else _NONE


def _word(found: Candidate, line: Line, role: Role, common: dict[str, frozenset[str]]) -> Doubt:
    """What speaks against a single word: the bird, everyday words, family names, a diplomat's title."""
    word, place = found.key, found.readings[0].place
    before, after = line.word(found.first - 1), line.word(found.last + 1)
    if word == "turkey" and {after, before} & _BIRD:
        return Doubt(1.0, "the bird")
    if place.kind != "country" and word in common["common"]:
        return _everyday(found, line)
    if place.kind not in TOWNS:
        return _NONE
    if len(word) < 3 and word.isascii():
        return Doubt(1.0, "too short a name")
    if word == "القايم" and after in ("بالاعمال", "باعمال"):
        return Doubt(1.0, "a diplomat's title")
    if found.is_exact and word[:2] == "ال" and word[-1] == "ي" and len(word) > 5 and not role.word:
        return Doubt(1.0, "may be a family's name")
    return _NONE


def _everyday(found: Candidate, line: Line) -> Doubt:
    """How much an everyday word speaks against a large town of that name: less after "in"."""
    place, is_there = found.readings[0].place, line.word(found.first - 1) in ("in", "near", "at")
    if found.key.isascii() and place.kind in TOWNS and place.size >= 54 and (line.is_sentence or is_there):
        return Doubt(0.3 if is_there else 0.6 if place.size >= 60 else 1.0, "an everyday word")
    return Doubt(1.0, "an everyday word")


def _is_result(index: int, line: Line) -> bool:
    """Whether the result of a match stands here: "3-1"."""
    is_pair = line.word(index).isdigit() and line.gap(index) in ("-", "–") and line.word(index + 1).isdigit()
    return is_pair and line.gap(index + 1)[:1] != "%"


def _is_street(after: str, found: Candidate, line: Line) -> bool:
    """Whether a street is called after the place: "14 Dover Road"."""
    if after not in _STREETS or line.gap(found.last) != " " or not line.is_capital(found.last + 1):
        return False
    return after != "drive" or line.is_sentence


def _is_avenue(found: Candidate, line: Line) -> bool:
    """The same where the street comes first: "Avenida de la Libertad", "rue de Tyr"."""
    index = found.first - 1
    while line.word(index) in _OF_THE and line.gap(index) == " ":
        index -= 1
    return line.word(index) in _AVENUES and line.gap(index) == " "


def _is_alias(found: Candidate, line: Line) -> bool:
    """Whether somebody is called so ("a girl named Dover", "known as Dover"), and not a town or village."""
    word, earlier = line.word(found.first - 1), [line.word(found.first - back) for back in (2, 3)]
    if word not in _CALLED and (word, earlier[0]) != ("as", "known"):
        return False
    return _SETTLEMENTS.isdisjoint(earlier)


def _is_quoted(found: Candidate, line: Line) -> bool:
    """Whether nothing else stands between the quotation marks: a ship, an agency, a firm."""
    return line.text[max(found.start - 1, 0)] in _QUOTES and line.text[found.end : found.end + 1] in _QUOTES


def georgia(words: frozenset[str]) -> str:
    """Which Georgia a text with these words is about: GE, US-GA, or nothing when it does not say."""
    if words & _COUNTRY_OF_GEORGIA:
        return "GE"
    return "US-GA" if words & _STATE_OF_GEORGIA else ""


def _person(found: Candidate, line: Line, common: dict[str, frozenset[str]]) -> Doubt:
    """Whether the name is a part of a person's."""
    first, last = found.first, found.last
    if not line.is_capital(first - 1) and not line.is_capital(last + 1):
        return _NONE
    before, after = line.word(first - 1), line.word(last + 1)
    kind = found.readings[0].place.kind
    is_weak = kind != "country" and all(reading.place.size < 62 or reading.how == "alt" for reading in found.readings)
    is_behind = first > 0 and line.gap(first - 1) in (" ", ". ") and line.is_capital(first - 1)
    is_name = first == last and line.word(first) in common["given"]
    leads = is_name and line.gap(last) == " " and _is_part(line, last + 1) and (kind != "country" or after not in _NOT_NAMES)
    if leads and line.is_sentence and line.word(first) not in _METROPOLES:
        return Doubt(1.0, "part of a person's name", True)
    if leads:
        return Doubt(0.45 if line.written[first].isupper() else 0.3, "may be a person's name")
    if is_behind and before in common["title"] and (is_weak or line.gap(first - 1) == ". " or line.word(first) in _SURNAMES):
        return Doubt(1.0, "a person's title before it", True)
    if is_behind and before in common["given"] and (is_weak or line.word(first) in _SURNAMES or line.word(first) in common["given"]):
        return Doubt(1.0, "a given name before it", True) if line.is_sentence else Doubt(0.5, "may be a person's name")
    if is_behind and kind != "country" and line.is_sentence and _is_full_name(first, last, line, common):
        return Doubt(1.0, "names before it, as of a person", True)
    if is_weak and is_behind and len(before) == 1 and (line.gap(first - 1) == ". " or before not in _LETTERS):
        return Doubt(1.0, "an initial before it", True)
    if is_weak and line.is_sentence and line.gap(last) == " " and _is_part(line, last + 1) and after not in common["common"]:
        return Doubt(0.25, "may be a part of a longer name")
    if is_weak and line.is_sentence and first > 1 and line.gap(first - 1) == " " and _is_part(line, first - 1):
        return Doubt(0.25, "may be a part of a longer name")
    return _NONE


def _is_full_name(first: int, last: int, line: Line, common: dict[str, frozenset[str]]) -> bool:
    """Whether it ends a person's full name: two names or a title before it ("Mayor John Dover"), or an age behind it."""
    before = line.word(first - 1)
    if before in common["given"] and first > 1 and line.gap(first - 2) == " " and _is_part(line, first - 2):
        return True
    age = line.word(last + 1)
    return line.gap(last) == ", " and len(age) == 2 and age.isdigit() and line.gap(last + 1)[:1] == "," and _is_part(line, first - 1)


def _is_part(line: Line, index: int) -> bool:
    return line.is_capital(index) and line.word(index) not in _NOT_NAMES
