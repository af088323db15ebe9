"""What the words right around a name say for it: "near X", "X district", "BEIRUT (Agency) -", "X, Pa.", "X (Tyre, Lebanon)"."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.regions.candidates import Candidate
from alerts.regions.gazetteer import TOWNS, Place
from alerts.regions.line import Line
from alerts.regions.roles import SCENE, Role
from alerts.regions.states import STATES

_KIND_WORDS = frozenset(
    "county city town village province district governorate region state prefecture municipality parish airport police mayor "
    "university hospital area residents island beach valley".split()
)
_KIND_BEFORE = frozenset(
    "city town village province district governorate region state city село селе город городе поселок محافظه ناحيه قضاء "
    "مدينه بلده قريه stadt provinz ville ciudad provincia kota kabupaten provinsi 市".split()
)
_PROVINCES = frozenset("province governorate oblast prefecture voivodeship محافظه ولايه".split())
_DISTRICTS = _KIND_WORDS | frozenset(
    "township sub subdistrict lga tehsil taluk upazila woreda cercle commune raion oblast barangay camp hamlet".split()
)
_COMMAS = (", ", ",", " (")
_INSIDE = frozenset("in في بمحافظه ضمن".split())
_OF_AREAS = frozenset("the of state province county region محافظه قضاء اقليم ولايه".split())
_SAID_IN = 5  # words from one name to the other, at most
_DASHES = ("—", "–", "--", "-", ":")
_SMALL = 55  # 10 x log10 of the people: a name that only a village has says more in its place than alone
_ONLY = 0.15
_AWAY = frozenset("from uit aus nach depuis vers desde hacia hasta dari ke fran fra til till из від".split())  # and not "of", as "de" is
_LONG = 8  # letters of a name that is hardly a person's


def setting(candidate: Candidate, line: Line, role: Role) -> tuple[float, str]:
    """What the words around a name add to the score of a place, and the reason."""
    before, after = line.word(candidate.first - 1), line.word(candidate.last + 1)
    score, why = 0.0, ""
    if role.is_spatial or before == "of":
        score, why = 0.15, f', after "{role.word or before}"'
    if (after in _PROVINCES or before in _PROVINCES) and not any(r.place.kind in ("subdivision", "area") for r in candidate.readings):
        return score - 0.15, f"{why}, but a town"
    if _is_called_a_place(candidate, line, before, after):
        score, why = score + 0.2, f"{why}, called a place"
    if candidate.first == 0:
        is_shouted = candidate.shown.isupper() and not line.is_shouted
        if is_shouted or line.gap(candidate.last).strip() in _DASHES:
            score, why = score + 0.2, f"{why}, as a dateline"
    if candidate.last > candidate.first:
        score += 0.35 if candidate.key.endswith(" city") else 0.15
    is_there = role.is_spatial and (role.weight == SCENE or role.word in _AWAY)
    if (is_there or score >= 0.2 or _is_free(candidate, line)) and _is_only(candidate):
        score, why = score + _ONLY, f"{why}, the one place of this name"
    return score, why


def ahead(candidate: Candidate, after: Candidate | None, place: Place | None, line: Line) -> str:
    """The code that follows: of "Lebanon, Pa." US-PA, of "Paris, France" FR, of "Hays (Hays district, Hudaydah)" YE-HU.

    Args:
        candidate: The name.
        after: The next name of the text.
        place: What the next name means.
        line: The line of the name.
    """
    if place and after is not None and after.line == candidate.line and after.first - candidate.last <= _SAID_IN:
        between, apart = line.text[candidate.end : after.start], after.first - candidate.last
        if apart <= 2 and _is_within(between, line.word(candidate.last + 1) if apart == 2 else "", place):
            return place.code
        if between == " " and "\u0620" <= candidate.shown[0] <= "\u06ff" and after.shown[0] != "و":  # "Tripoli Lebanon"
            return place.country
        if _is_said_in(line.words[candidate.last + 1 : after.first]) and _has(candidate, place):
            return place.code
    return _state(candidate.last + 1, line) if candidate.shown[0] < "\u0590" and line.gap(candidate.last) in _COMMAS else ""


def _is_said_in(words: Sequence[str]) -> bool:
    """Whether the words between two names say that the first lies in the second: "Dover in the state of", "الاسكندريه في محافظه"."""
    return bool(words) and words[0] in _INSIDE and _OF_AREAS.issuperset(words[1:])


def _has(candidate: Candidate, place: Place) -> bool:
    """Whether one of the towns that the name may mean lies in the country or province."""
    where = place.code if place.kind == "subdivision" else place.country
    return place.kind in ("country", "subdivision") and any(r.place.code.startswith(where) for r in candidate.readings)


def _state(index: int, line: Line) -> str:
    """The code of an abbreviated state."""
    shown = line.written[index]
    is_state = shown.isupper() or line.gaps[index + 1][:1] == "." or "." in shown
    return STATES.get(line.words[index], "") if is_state and shown[:1].isupper() else ""


def _is_within(between: str, word: str, place: Place) -> bool:
    """Whether a name is said to lie in the place behind a comma or in brackets: "Tyre, Lebanon", "Tyre district (South)"."""
    marks = between.strip()
    if word in _DISTRICTS:
        marks = marks.removeprefix(word).strip()
    if marks == "(":
        return place.kind != "mask"
    return marks in (",", "،") and place.kind in ("country", "subdivision")


def _is_called_a_place(candidate: Candidate, line: Line, before: str, after: str) -> bool:
    if after in _KIND_WORDS or before in _KIND_BEFORE:
        return True
    return (before == "of" and line.word(candidate.first - 2) in _KIND_BEFORE) or _is_institution(candidate.last + 1, line)


def _is_institution(index: int, line: Line) -> bool:
    """Whether the capitalised words from here on end in a word for an institution: "Ruston General Hospital"."""
    for following in range(index, index + 3):
        if not line.is_capital(following) or line.gap(following - 1) != " ":
            return False
        if line.word(following) in _KIND_WORDS:
            return True
    return False


def _is_only(candidate: Candidate) -> bool:
    """Whether a village or town is the only place of its name."""
    place = candidate.readings[0].place
    return len(candidate.readings) == 1 and len(candidate.key) > 4 and place.kind in TOWNS and place.size < _SMALL


def _is_free(candidate: Candidate, line: Line) -> bool:
    """Whether a long name stands alone in a sentence: no capitals beside it, as a person's or a firm's would have."""
    is_alone = not line.is_capital(candidate.first - 1) and not line.is_capital(candidate.last + 1)
    return len(candidate.key) >= _LONG and line.is_sentence and is_alone
