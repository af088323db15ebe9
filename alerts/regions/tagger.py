"""Which places a text names, with the words that say so: find names, settle what they mean, order them.

The order of the work: candidates.py finds the longest names, endings.py undoes inflection, roles.py says what each does in its
sentence, guards.py what speaks against it, settle.py chooses among its meanings (priors.py, setting.py and context.py
weigh them), relevance.py puts the place that the text is about first and leaves out what it names in passing. The home of
the source helps to choose, and counts as weak evidence of its own only when the text names nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.models import RegionEvidence
from alerts.regions.candidates import Finder
from alerts.regions.gazetteer import Gazetteer, load_gazetteer
from alerts.regions.line import Line
from alerts.regions.principal import principal
from alerts.regions.relevance import ranked
from alerts.regions.settle import Found, settle

HOME_SCORE = 0.3
_BELOW = 0.9  # found in the text, not in the headline
_AGAIN = 0.02  # for each further mention
_TAGS = {"tl": "fil", "sh": "sr", "nb": "no"}
_KINDS = {"sea": "area", "county": "area", "district": "area"}


class Tagger:
    """Finds places by their names; holds nothing but the compiled gazetteer."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._finder = Finder(gazetteer)
        self._capitals = frozenset(gazetteer.capitals.values())

    @classmethod
    def load(cls) -> Tagger:
        """A tagger with the gazetteer that comes with the package; mapped once a process."""
        return cls(load_gazetteer())

    def tag(self, text: str, *, language: str | None, home: str | None) -> tuple[RegionEvidence, ...]:
        """One piece of evidence for each place, most relevant first.

        Args:
            text: Headline, newline, text: spans count in its characters.
            language: Primary tag; None takes every name that is safe in any language.
            home: ISO 3166-1 code of the source's country: helps to choose; evidence of score 0.3 when nothing else is found.
        """
        tag = self._covered(language)
        lines = [Line(part) for part in text.split("\n")]
        candidates = [c for number, line in enumerate(lines) for c in self._finder.find(line, number, tag)]
        found = settle(candidates, lines, home=home, language=tag, common=self._gazetteer.common)
        if not found:
            return (self._home(home),) if home else ()
        offsets = [0]
        for line in lines:
            offsets.append(offsets[-1] + len(line.text) + 1)
        return tuple(self._evidence(mentions, offsets) for mentions in ranked(found, lines, self._capitals))

    def principal(self, found: Sequence[RegionEvidence], text: str, *, language: str | None) -> str:
        """The ISO 3166-2 code of the one province in which the text plays (principal.py); empty when it does not say.

        Args:
            found: What `tag` said of the text.
            text: The same text.
            language: Primary tag; None when it is unknown.
        """
        return principal(found, text, language=self._covered(language), capitals=self._gazetteer.capitals)

    def _covered(self, language: str | None) -> str | None:
        tag = _TAGS.get(language or "", language)
        return tag if tag in self._gazetteer.languages else None

    def _home(self, code: str) -> RegionEvidence:
        name = self._gazetteer.english.get(code.upper(), code)
        return RegionEvidence(code=code.upper(), name=name, kind="country", why="home of the source", score=HOME_SCORE)

    def _reason(self, found: Found) -> str:
        """What was taken for what, and for which reasons: "a city in Lebanon, after "in"."""
        country = self._gazetteer.english.get(found.place.country, "")
        what, comma, rest = found.why.partition(",")
        if found.place.kind == "country":
            what = _NAMED.get(found.how, "names {}").format(country)
        elif country:
            head, semicolon, doubts = what.partition(";")
            what = f"{head} in {country}{semicolon}{doubts}"
        return what + comma + rest

    def _evidence(self, mentions: Sequence[Found], offsets: Sequence[int]) -> RegionEvidence:
        best = max(mentions, key=lambda m: (_weight(m), -m.candidate.line, -m.candidate.start))
        place, candidate = best.place, best.candidate
        score = min(1.0, _weight(best) + _AGAIN * (len(mentions) - 1))
        start = offsets[candidate.line] + candidate.start
        span = (start, start + len(candidate.shown))
        why = f'"{candidate.shown}" {self._reason(best)}'
        kind = _KINDS.get(place.kind, place.kind)
        lat, lon = place.point()
        return RegionEvidence(code=place.code, name=place.name, kind=kind, lat=lat, lon=lon, span=span, why=why, score=round(score, 3))


_NAMED = {"name": "names {}", "short": "short for {}", "demonym": "of {}", "place": "stands for {}", "pair": "stands for {}"}


def _weight(found: Found) -> float:
    return found.score * (_BELOW if found.candidate.line else 1.0)


def countries_of(evidence: Sequence[RegionEvidence]) -> tuple[str, ...]:
    """ISO 3166-1 codes of the evidence, in its order, each once; waters have none."""
    return tuple(dict.fromkeys(e.country for e in evidence if e.country))
