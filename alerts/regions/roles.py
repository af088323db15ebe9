"""What a place does in its sentence: something happens there, or it is only named, or it is passed by.

"In Tyre" and "near Tyre" say where a thing happened; "the council of Tyre" only names it; "from Tyre", "towards Tyre" and
"after Tyre" name another place than the one the text is about. The words are those of a language, not of any text:
prepositions, directions, and what an office calls a district.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerts.regions.candidates import Candidate
from alerts.regions.line import Line
from alerts.text.normalise import fold

SCENE, NAMED, PASSED = 1.0, 0.8, 0.5

_SCENES = {
    "en": "in near at around outside inside within across throughout off on over hit hits struck strikes rocks shakes north south east "
    "west northeast northwest southeast southwest central northern southern eastern western downtown",
    "ar": "في فى فيمحافظه فيمدينه فيقضاء فيناحيه فيمنطقه فيالعاصمه قرب عند داخل خارج ضمن وسط شمال شمالي جنوب جنوبي شرق شرقي "
    "غرب غربي اقصي علي حول بين باطراف اطراف استهدف استهدفت",
    "ru": "в во на под возле около близ вблизи у", "uk": "в у на під біля поблизу", "fr": "à dans près en sur", "de": "in bei im nahe vor",
    "es": "en cerca", "pt": "em no na perto", "it": "a in nel nella vicino", "nl": "in bij te nabij",
    "pl": "w we na pod koło", "cs": "v ve u na",
    "sk": "v vo pri na", "sr": "u na kod у на код", "hr": "u na kod", "sl": "v na pri", "ro": "în la lângă", "id": "di dekat",
    "sv": "i vid nära",
    "da": "i på ved", "no": "i på ved", "fi": "lähellä", "el": "στη στην στο στον",
}  # fmt: skip
_PASSES = {
    "en": "from to toward towards via like unlike than for into after since",
    "ar": "من الي نحو باتجاه صوب بعد لدي عبر مثل غرار",
    "ru": "из от до к из-за", "uk": "від до з із", "fr": "de depuis vers après", "de": "aus nach von", "es": "de desde hacia hasta",
    "pt": "de do da desde até", "it": "da di verso dal", "nl": "uit naar van", "pl": "z ze do od", "cs": "z ze do od", "sk": "z zo do od",
    "sr": "iz od do из од до", "hr": "iz od do", "sl": "iz od do", "ro": "din spre de", "id": "dari ke", "sv": "från till", "da": "fra til",
    "no": "fra til", "el": "από προς",
}  # fmt: skip
_COMPARES = frozenset("after for like unlike than since on off over بعد مثل غرار بين".split())  # before people and things as well
_BETWEEN = frozenset(  # between a preposition and the name, and changing nothing: "in the town of Tyre"
    "the of a an city town village district province governorate region state county area municipality suburb outskirts port "
    "محافظه محافظتي محافظات قضاء ناحيه مدينه مدينتي بلده بلدتي قريه قريتي منطقه مناطق ضاحيه حي العاصمه مركز مخيم منفذ مطار "
    "اهالي سكان ابناء "
    "области область район района города городе село селе місті la le les el los las der den dem die das il".split()
)
_AND = frozenset("and و и та і et und y e i en ve".split())
_LIKE = frozenset("اسوه مقارنه تيمنا".split())  # "as in", "compared with": before the Arabic "in" that is written onto a name
_ROADS = frozenset("road highway motorway expressway railway line route طريق الطريق خط трасса трассе дорога дороге шоссе".split())
_DASHES = frozenset((" - ", " – ", " — ", "–", "—"))
_BACK_TO_THE_ROAD = 5  # words before the first of the two names
# Whose head it is when a headline begins with them: "Council of Basra ...", "Governor of Basra".
_OFFICES = frozenset("مجلس محافظ محافظه قايممقام شرطه اعلام صحه تربيه بلديه مديريه قياده عمليات نايب رييس council governor of the".split())
_AT_THE_HEAD = 3
_STOPS = frozenset(".,;:!?،؛؟")
_FARTHEST = 4  # words back from a name that still belong to it


class Role(NamedTuple):
    """SCENE, NAMED or PASSED, and the word that says so."""

    weight: float
    word: str = ""
    is_spatial: bool = False  # the word stands before places alone


_NAMED = Role(NAMED)
_ON_THE_WAY = Role(PASSED)


def _table() -> dict[str, dict[str, Role]]:
    """Language -> folded word -> its role; "" = of every language, for texts of unknown ones."""
    table: dict[str, dict[str, Role]] = {"": {}}
    for words, weight in ((_PASSES, PASSED), (_SCENES, SCENE)):
        for language, text in words.items():
            entries = {word: Role(weight, word, word not in _COMPARES) for word in map(fold, text.split())}
            table.setdefault(language, {}).update(entries)
            table[""] |= {word: role for word, role in entries.items() if language == "en" or len(word) > 1 or not word.isascii()}
    for entries in table.values():  # feeds mistake their language
        for word in ("in", "near", "at", "from"):
            entries.setdefault(word, table["en"][word])
    return table


_TABLE = _table()


def roles(candidates: Sequence[Candidate], lines: Sequence[Line], language: str | None) -> list[Role]:
    """The role of each name, in the order of the text; what "and" or a comma joins has the same role."""
    words = _TABLE.get(language or "", _TABLE[""])
    found: list[Role] = []
    before: Candidate | None = None
    for candidate in candidates:
        line = lines[candidate.line]
        joined = (
            before is not None
            and before.line == candidate.line
            and candidate.first - before.last <= 3
            and _is_joined(before, candidate, line)
        )
        found.append(found[-1] if joined else _role(candidate, line, words))
        before = candidate
    return found


def _is_joined(before: Candidate, candidate: Candidate, line: Line) -> bool:
    """Whether two names stand in one list: "Tyre and Sidon", "Tyre, Sidon"."""
    between = [line.word(index) for index in range(before.last + 1, candidate.first)]
    if any(word not in _AND and word not in _BETWEEN for word in between):
        return False
    gap = line.text[before.end : candidate.start]
    is_written_on = candidate.shown[0] == "و" and not between
    return "." not in gap and (is_written_on or "," in gap or "،" in gap or any(word in _AND for word in between))


def _role(candidate: Candidate, line: Line, words: dict[str, Role]) -> Role:
    if line.word(candidate.first - 1) in _LIKE:
        return Role(PASSED, line.word(candidate.first - 1), True)
    if particle := _particle(candidate):
        return Role(SCENE if particle == "ب" else PASSED, particle, True)
    if _is_road(candidate, line):
        return _ON_THE_WAY
    if 0 < candidate.first <= _AT_THE_HEAD and candidate.line == 0 and _OFFICES.issuperset(line.words[: candidate.first]):
        return Role(SCENE)
    if candidate.first == 0 and line.gap(candidate.last).strip() in ("..", ":", "—", "–", "--", "-", "..."):
        return Role(SCENE)
    for index in range(candidate.first - 1, max(candidate.first - 1 - _FARTHEST, -1), -1):
        word = line.word(index)
        if not _STOPS.isdisjoint(line.gap(index)):
            return _NAMED
        if word in words:
            return words[word]
        if word not in _BETWEEN:
            return _NAMED
    return _NAMED


def _is_road(candidate: Candidate, line: Line) -> bool:
    """Whether a road or railway is called by two names and this is one of them: "the road Basra - Amara"."""
    if line.gap(candidate.last) not in _DASHES and line.gap(candidate.first - 1) not in _DASHES:
        return False
    return not _ROADS.isdisjoint(line.words[max(0, candidate.first - _BACK_TO_THE_ROAD) : candidate.first])


def _particle(candidate: Candidate) -> str:
    """The Arabic "in" or "to" that is written onto a name, also behind "and"; empty without one."""
    is_written_on = not candidate.is_exact or (" " in candidate.key and candidate.readings[0].place.kind == "subdivision")
    if not is_written_on or candidate.shown[0] not in "بلوف":
        return ""
    return next((letter for letter in candidate.shown[:2] if letter in "بل"), "")
