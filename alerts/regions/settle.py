"""Which of its meanings a name has in this text, and whether it is a place at all.

Each reading has a score: how well known the place is, plus what the text says for it (the country behind a comma, the
same country elsewhere, a preposition, a dateline, the source's home), minus what speaks against it (guards.py). The best
reading counts if it reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alerts.regions.candidates import Candidate, Line
from alerts.regions.gazetteer import MASK, VILLAGES, Place, Reading
from alerts.regions.guards import Doubt, doubt, georgia
from alerts.regions.states import STATES

THRESHOLD = 0.55
_COUNTRY = {"name": 1.0, "short": 0.95, "demonym": 0.85, "place": 0.85, "city": 0.8, "mask": 2.0}
_IN = frozenset(  # words before a place, in the languages where they are words
    "in near at from to outside around across inside of de en em à a dans près bei aus nach im vor dem di da na w we pod z ve "
    "в во на из под у около біля під від у із i".split()
)
_KIND_WORDS = frozenset(
    "county city town village province district governorate region state prefecture municipality parish airport police mayor "
    "university hospital area residents island beach valley".split()
)
_KIND_BEFORE = frozenset(
    "city town village province district governorate region state city село селе город городе поселок مدينة بلدة قرية محافظه ناحيه قضاء "
    "مدينه بلده قريه stadt provinz ville ciudad provincia kota kabupaten provinsi 市".split()
)
# Words that make villages of conflict zones likelier than people called so.
_CONFLICT = frozenset(
    (
        "airstrike airstrikes strike strikes struck shelling shelled shelling bombing bombed drone drones missile missiles "
        "rocket rockets clashes militants  gunmen troops soldiers artillery attack attacked ambush raid insurgents rebels "
        "frontline shells mortar  غاره غارات قصف القصف مسيره اشتباكات قذايف صاروخ استهدف استهدفت يستهدف مدفعي مدفعيه "
        "обстрел обстреляли обстрела удар удары атака атаковали дрон дроны беспилотник ракета ракеты бои боев обстріл "
        "обстріли удари атакували безпілотник  תקיפה הפצצה כטבם רקטות טילים "
    ).split()
)
# Countries that news names together: a town of one is likely where the other is named.
_BESIDE = {
    "PS": ("IL",), "IL": ("PS", "LB"), "LB": ("IL",), "SY": ("IL", "TR"), "UA": ("RU",), "RU": ("UA",), "AM": ("AZ",),
    "AZ": ("AM",), "SS": ("SD",), "CD": ("RW",), "TW": ("CN",), "HK": ("CN",), "KP": ("KR",), "PK": ("IN",), "YE": ("SA",),
}  # fmt: skip
_BESIDE_NAMED = 0.25
_NOBODY: frozenset[str] = frozenset()
_AHEAD, _NEAR, _HOME = 0.6, 0.35, 0.35


class Found(NamedTuple):
    """A name with the meaning that was chosen, its score and the reasons."""

    candidate: Candidate
    place: Place
    how: str
    score: float
    why: str


class Context(NamedTuple):
    """What the whole text says about where it plays: which names speak for a country, and for a subdivision."""

    countries: Mapping[str, set[str]]
    codes: Mapping[str, set[str]]
    home: str
    georgia: str
    is_conflict: bool


def settle(
    candidates: Sequence[Candidate], lines: Sequence[Line], *, home: str | None, language: str | None, common: dict[str, frozenset[str]]
) -> list[Found]:
    """The names that are places, with their meaning, in the order of the text."""
    if not candidates:
        return []
    doubts = [doubt(candidate, lines[candidate.line], common) for candidate in candidates]
    context = _context(candidates, doubts, lines, home)
    chosen: list[Found] = []
    behind: Reading | None = None
    for number in range(len(candidates) - 1, -1, -1):
        candidate, line = candidates[number], lines[candidates[number].line]
        after = candidates[number + 1] if number + 1 < len(candidates) else None
        ahead = _ahead(candidate, after, behind, line)
        found = _choose(candidate, line, doubts[number], context, ahead, language)
        behind = found and Reading(found.place, found.how, frozenset())
        if found and found.place.kind != "mask":
            chosen.append(found)
    return chosen[::-1]


def _context(candidates: Sequence[Candidate], doubts: Sequence[Doubt], lines: Sequence[Line], home: str | None) -> Context:
    """Countries named without doubt, each with its weight."""
    countries: dict[str, set[str]] = {}
    codes: dict[str, set[str]] = {}
    for candidate, against in zip(candidates, doubts, strict=True):
        top = candidate.readings[0]
        place = top.place
        if against.minus or place.code == MASK or (place.kind in ("city", "district") and place.size < 58):
            continue
        others = {r.place.country for r in candidate.readings[1:] if r.place.size > place.size - 10} - {place.country}
        if (others and place.kind != "country") or place.name == "Georgia":
            continue
        countries.setdefault(place.country, set()).add(candidate.key)
        for reading in candidate.readings if place.kind == "county" else candidate.readings[:1]:
            if reading.place.kind != "country":
                codes.setdefault(reading.place.code, set()).add(candidate.key)
    words = frozenset(word.text for line in lines for word in line.words) if any(_is_georgia(c) for c in candidates) else frozenset()
    is_village = any(c.readings[0].place.kind in ("city", "district") and c.readings[0].place.country in VILLAGES for c in candidates)
    is_conflict = is_village and not all(_CONFLICT.isdisjoint([word.text for word in line.words]) for line in lines)
    return Context(countries, codes, (home or "").upper(), georgia(words), is_conflict)


def _is_georgia(candidate: Candidate) -> bool:
    return candidate.readings[0].place.code == "GE"


def _ahead(candidate: Candidate, after: Candidate | None, behind: Reading | None, line: Line) -> str:
    """The code behind a comma: of "Lebanon, Pa." US-PA, of "Paris, France" FR; empty without one."""
    gap = line.gap(candidate.last)
    if gap not in (", ", ",", " (", "، ") or candidate.shown[0] > "\u0590":
        return ""
    is_next = after is not None and after.line == candidate.line and after.first == candidate.last + 1
    if behind and is_next and behind.place.kind in ("country", "subdivision"):
        return behind.place.code
    follows = candidate.last + 1
    word = line.word(follows)
    shown = line.text[line.words[follows].start : line.words[follows].end]
    is_state = shown.isupper() or line.text[line.words[follows].end : line.words[follows].end + 1] == "." or "." in shown
    return STATES.get(word, "") if is_state and shown[0].isupper() else ""


def _choose(candidate: Candidate, line: Line, against: Doubt, context: Context, ahead: str, language: str | None) -> Found | None:
    best, best_score, best_why = candidate.readings[0], -9.0, ""
    setting, setting_why = _setting(candidate, line)
    has_country = candidate.readings[0].place.kind == "country" and candidate.readings[0].how in ("name", "short", "demonym")
    for reading in candidate.readings:
        if reading.place.kind == "mask":
            return Found(candidate, reading.place, "mask", 1.0, "")
        score, why = _score(reading, candidate, context, ahead, language)
        if reading.place.kind != "country":
            score, why = score + setting - (0.6 if has_country and not _is_told(reading, ahead, context) else 0.0), f"{why}{setting_why}"
        if score > best_score:
            best, best_score, best_why = reading, score, why
    if ahead[:3] in ("US-", "CA-", "AU-") and best.place.code != ahead:
        return _town_of(candidate, ahead)
    if against.minus and ahead[:2] == best.place.country:
        against = Doubt(0.0)
    score = best_score - against.minus
    if against.minus >= 1.0 or score < THRESHOLD:
        return None
    why = f"{best_why}; {against.why}" if against.why else best_why
    return Found(candidate, best.place, best.how, min(1.0, score), why)


def _is_told(reading: Reading, ahead: str, context: Context) -> bool:
    """Whether the text says that a place is meant, and not the country of that name."""
    return ahead in (reading.place.code, reading.place.country) or (reading.place.name == "Georgia" and context.georgia != "GE")


def _town_of(candidate: Candidate, code: str) -> Found:
    """A town that only the state behind the comma tells apart: "Kelleyland, La."."""
    place = Place(-1, candidate.shown, "city", code, None, None, 30)
    return Found(candidate, place, "main", 0.7, f"in {code}, which follows it")


def _setting(candidate: Candidate, line: Line) -> tuple[float, str]:
    """What the words around a name add: "near X", "X County", "BEIRUT (Agency) -"."""
    before, after = line.word(candidate.first - 1), line.word(candidate.last + 1)
    score, why = 0.0, ""
    if before in _IN:
        score, why = 0.15, f', after "{before}"'
    if after in _KIND_WORDS or before in _KIND_BEFORE or (before == "of" and line.word(candidate.first - 2) in _KIND_BEFORE):
        score, why = score + 0.2, f"{why}, called a place"
    is_shouted = candidate.shown.isupper() and not line.is_shouted
    if candidate.first == 0 and (is_shouted or line.gap(candidate.last).strip() in ("—", "–", "--", "-", ":")):
        score, why = score + 0.2, f"{why}, as a dateline"
    if candidate.last > candidate.first:
        score += 0.15
    return score, why


def _score(reading: Reading, candidate: Candidate, context: Context, ahead: str, language: str | None) -> tuple[float, str]:
    place = reading.place
    more, why = _support(place, candidate, context, ahead)
    if place.name == "Georgia" and context.georgia:
        more += 0.5 if place.code == context.georgia else -0.5
    elif place.name == "Georgia" and place.code == "US-GA" and ("US" in context.countries or context.home == "US"):
        more += 0.3
    return _prior(reading, candidate, language) + more, _WHAT[place.kind] + why


def _support(place: Place, candidate: Candidate, context: Context, ahead: str) -> tuple[float, str]:
    """What the rest of the text, or the source's home, says for a place."""
    if ahead and ahead in (place.code, place.country):
        return _AHEAD, f", {ahead} follows it"
    if place.kind == "country":
        return 0.0, ""
    if context.countries.get(place.country, _NOBODY) - {candidate.key}:
        is_same = context.codes.get(place.code, _NOBODY) - {candidate.key}
        return _NEAR + (0.1 if is_same else 0.0), f", {place.country} is named too"
    if any(other in context.countries for other in _BESIDE.get(place.country, ())):
        return _BESIDE_NAMED, ", a country beside is named"
    if place.country == context.home:
        return _HOME, ", in the source's country"
    is_village = place.kind in ("city", "district") and place.country in VILLAGES and len(candidate.key) > 4
    if context.is_conflict and is_village and len(candidate.readings) == 1:
        return 0.25, ", a name of one place only, in a text of fighting"
    return 0.0, ""


_CASELESS = 54  # scripts without capitals: smaller towns need more than their name
# Where the press of a language names small towns.
_SPOKEN = {
    "de": "DE AT CH LI LU".split(),
    "fr": "FR BE CH LU CA SN CI ML BF NE CM CD CG GA TD HT DZ MA TN LB".split(),
    "it": "IT CH SM".split(),
    "nl": "NL BE SR".split(),
    "pt": "PT BR AO MZ".split(),
    "es": "ES MX AR CO PE VE CL EC GT CU BO DO HN PY SV NI CR PA UY PR US".split(),
    "pl": "PL".split(),
    "cs": "CZ".split(),
    "sk": "SK".split(),
    "hu": "HU RO".split(),
    "ro": "RO MD".split(),
    "tr": "TR CY".split(),
    "id": "ID".split(),
    "sv": "SE FI".split(),
    "no": "NO".split(),
    "nb": "NO".split(),
    "da": "DK".split(),
    "fi": "FI".split(),
    "hr": "HR BA".split(),
    "sr": "RS BA ME".split(),
    "sl": "SI".split(),
    "lt": "LT".split(),
    "lv": "LV".split(),
    "et": "EE".split(),
}
_WHAT = {
    "country": "a country's name", "subdivision": "a province or state", "county": "a county", "district": "a district",
    "city": "a city", "area": "a region",
    "sea": "a sea", "mask": "",
}  # fmt: skip


def _is_foreign(place: Place, language: str | None) -> bool:
    """Whether a town lies where the language of the text is not at home."""
    spoken = _SPOKEN.get(language or "")
    return spoken is not None and place.country not in spoken


def _prior(reading: Reading, candidate: Candidate, language: str | None) -> float:
    """How likely the place is meant when nothing else is known."""
    place = reading.place
    if place.kind == "country":
        return _COUNTRY.get(reading.how, 0.8)
    if place.kind in ("area", "sea"):
        return 0.9
    if place.kind == "county":
        return 0.55
    is_latin = candidate.key.isascii()
    if place.kind == "subdivision":
        return min(0.85, max(0.3, (place.size - 33) / 32)) - (0.1 if reading.how != "main" and is_latin else 0)
    score = min(0.9, max(0.05, (place.size - 30) / 32))
    if is_latin and (place.size < 58 if reading.how == "alt" else place.size < 55 and _is_foreign(place, language)):
        score -= 0.25
    if not is_latin and candidate.key[0] > "\u0590" and place.size < _CASELESS:
        score -= 0.25
    return score
