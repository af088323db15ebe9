"""How urgent a headline is by what it tells: its words of harm, the scale of it, and what takes the harm out of them.

First the gravest word (`level` in data/harm.toml), then numbers: ten dead weigh more than one, a magnitude of 6 more than
one of 4. A killing without a person or a number is none ("bill killed in committee"). Then the guards: looks back,
explainers, opinions, fiction, prices, drills and sport leave nothing; courts, reactions and what may yet happen leave 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from alerts.stories.nature import Nature
from alerts.stories.reading import Hit, Passage, Reading, table
from alerts.stories.toll import as_words, counts, largest

NORMAL = 5
RAISED = 4
_SCALE = {  # role -> (at least, level), the gravest first
    "dead": ((100, 1), (10, 2), (3, 3), (1, 4)),
    "injured": ((100, 2), (15, 3), (1, 4)),
    "missing": ((50, 2), (10, 3), (1, 4)),
    "displaced": ((1000, 3), (1, 4)),
    "magnitude": ((7.5, 1), (6.0, 2), (4.5, 3), (0, 4)),
}
_HISTORY = 2000  # more dead than this in one headline are those of a war
_NEEDS_PERSON = {"killing", "injury"}
_AT_BEST = {Nature.LIVE_BLOG: 3, Nature.ALL_CLEAR: RAISED}
_NEAR = 3  # words between a head of state and what befell them
_MAY_FALL = {"killing": ("context.head",), "attack": ("context.head",), "office": ("context.head", "context.state")}
_FALLS = {"killing": 2, "office": 2, "attack": 2}  # level when it befalls a head of state or government
_HALF = {
    "context.aftermath": "after the event",
    "context.reaction": "words about it",
    "context.possible": "not certain",
    "counts.total": "a total over time",
}
_NO_TRADE = {"airstrike", "attack", "quake", "power", "evacuation"}
_PAST = "of a year it names"


def harm_of(reading: Reading, nature: Nature) -> tuple[int, str]:
    """The level from 1 (highest) to 5 (none), and why in words; empty when there is no word of harm."""
    title = reading.title
    classes = _classes(title)
    toll = largest(counts(title)) if classes else {}
    if not classes or (not toll.keys() - {"money"} and _is_of_nobody(title, classes)):
        return NORMAL, ""
    if not nature.is_news and not (nature is Nature.SPORT and toll.get("dead", 0) >= 2):
        return NORMAL, f"{_says(title, classes)}, but a headline of kind {nature.value.replace('_', ' ')}"
    taken = _taken_out(title, classes, toll)
    if taken:
        return NORMAL, f"{_says(title, classes)}, but {taken}"
    level = min(_by_words(title, classes, toll), _by_scale(toll))
    half = next((says for sense, says in _HALF.items() if title.has(sense)), _PAST if _names_a_year(title) else "")
    if half and not _stands(level, toll, half):
        return max(level, RAISED), f"{_reason(title, classes, toll)}; {half}"
    more = {} if half else _of_lede(reading, toll)
    if _by_scale(more) < level:  # the lede may speak of more than its headline does: one level, no more
        level, toll = level - 1, more
    return max(level, _AT_BEST.get(nature, 1)), _reason(title, classes, toll)


def _classes(passage: Passage) -> dict[str, Hit]:
    """The kinds of harm in it with their first words."""
    found: dict[str, Hit] = {}
    for hit in passage.hits:
        file, _, name = hit.sense.partition(".")
        if file == "harm":
            found.setdefault(name, hit)
    return found


def _is_of_nobody(title: Passage, classes: Mapping[str, Hit]) -> bool:
    """Whether it is only a killing or an injury, and nobody is named whom it befell."""
    return classes.keys() <= _NEEDS_PERSON and not title.has("counts.people") and not _fallen(title, classes)


def _of_lede(reading: Reading, toll: Mapping[str, float]) -> dict[str, float]:
    """What the lede counts, if it speaks of the same thing now."""
    lede = reading.lede
    if toll or not lede.words or lede.has("counts.total", "nature.retrospective.any", "context.aftermath"):
        return {}
    return {role: number for role, number in largest(counts(lede)).items() if number < _HISTORY}


def _names_a_year(title: Passage) -> bool:
    """Whether a year is named ("in 2004", "the 1986 disaster"): news of today does without; full dates name more numbers."""
    for index in title.digits:
        word = title.words[index]
        if not (len(word) == 4 and word.isdecimal() and word[:2] in ("18", "19", "20")):
            continue
        following = title.words[index + 1] if index + 1 < len(title.words) else ""
        before = title.words[index - 1] if index else ""
        if not following[:1].isdigit() and not before[:1].isdigit() and not _is_people(title, index + 1):
            return True
    return False


def _is_people(title: Passage, index: int) -> bool:
    return any(hit.start == index and hit.sense in ("counts.people", "counts.dead", "counts.injured") for hit in title.hits)


def _taken_out(title: Passage, classes: Mapping[str, Hit], toll: Mapping[str, float]) -> str:
    """What makes the words mean no harm; deaths in numbers are prices never, and fiction only where two words say so."""
    if title.has("context.drill"):
        return "a drill"
    if sum(hit.sense == "context.fiction" for hit in title.hits) > 1 and "magnitude" not in toll:
        return "fiction or show business"
    if toll.get("dead", 0) >= 2 or "magnitude" in toll:
        return ""
    if title.has("context.fiction"):
        return "fiction or show business"
    if title.has("context.history") and "evacuation" not in classes:  # bombs of old wars are found today
        return "long ago"
    return "prices or firms" if _is_trade(title, classes, toll) else ""


def _is_trade(title: Passage, classes: Mapping[str, Hit], toll: Mapping[str, float]) -> bool:
    """Whether the words are of prices: not where people came to harm, nor where a market may be the place that burns."""
    if toll.keys() & {"dead", "injured", "missing"} or classes.keys() & _NO_TRADE:
        return False
    return title.has("context.market") or (title.has("context.market.weak") and "fire" not in classes)


def _by_words(title: Passage, classes: Mapping[str, Hit], toll: Mapping[str, float]) -> int:
    level = min(_level(name) for name in classes)
    if "quake" in classes and "magnitude" in toll:  # its magnitude says better how grave it is
        level = min([_level(name) for name in classes if name != "quake"], default=NORMAL)
    fallen = _fallen(title, classes)
    return min(level, fallen) if fallen else level


def _fallen(title: Passage, classes: Mapping[str, Hit]) -> int:
    """The level of a head of state or government who dies, is attacked or leaves; 0 when none does."""
    levels = [
        _FALLS[name]
        for name, harm in classes.items()
        if name in _FALLS
        for head in title.hits
        if head.sense in _MAY_FALL[name] and -1 <= harm.start - head.end <= _NEAR
    ]
    return min(levels, default=0)


def _by_scale(toll: Mapping[str, float]) -> int:
    if toll.get("dead", 0) >= _HISTORY:
        return RAISED
    levels = [level for role, steps in _SCALE.items() for least, level in steps if role in toll and toll[role] >= least]
    return min(levels, default=NORMAL)


def _stands(level: int, toll: Mapping[str, float], half: str) -> bool:
    """Whether many dead outweigh that the headline also has words of courts, reactions or chance."""
    return half in (_HALF["context.reaction"], _HALF["context.possible"]) and 3 <= toll.get("dead", 0) < _HISTORY and level <= 3


def _says(title: Passage, classes: Mapping[str, Hit]) -> str:
    """The gravest word of harm in the words of the table, with how it was written."""
    name = min(classes, key=_level)
    return f'{_harms()[name]["says"]} ("{title.words_of(classes[name])}")'


def _reason(title: Passage, classes: Mapping[str, Hit], toll: Mapping[str, float]) -> str:
    """The gravest word and the numbers ("an explosion ("blast"), 12 dead")."""
    magnitude = f"magnitude {toll['magnitude']:g}" if "magnitude" in toll else ""
    return ", ".join(filter(None, (_says(title, classes), magnitude, as_words(toll))))


def _level(name: str) -> int:
    return int(_harms()[name]["level"])


@cache
def _harms() -> dict[str, dict[str, str]]:
    return dict(table("harm"))
