"""What an item says about itself: its language, its nature, its urgency, its numbers, its places."""

from __future__ import annotations

from typing import Protocol

from alerts.models import Change, RegionEvidence, Source, Tagged
from alerts.stories.nature import nature_of
from alerts.stories.phases import phase_of
from alerts.stories.toll import ROLES, largest, toll_of
from alerts.stories.urgency import urgency_of
from alerts.text.language import language_of


class RegionTagger(Protocol):
    """Finds the places that a text names."""

    def tag(self, text: str, *, language: str | None, home: str | None) -> tuple[RegionEvidence, ...]:
        """Evidence, the most relevant first; spans count in the characters of the text."""
        ...


def tag(change: Change, source: Source, tagger: RegionTagger, *, is_guessing: bool = False) -> Tagged:
    """The changed item with language, urgency and regions; is_guessing lets a classifier guess the language.

    The language a person set for the source wins over the feed's own tag, which is often the software's default.
    """
    item = change.item
    text = f"{item.title}\n{item.text}"
    language = language_of(text, source.language or item.language, is_guessing=is_guessing)
    nature, nature_why = nature_of(item.title, language=language, url=item.url)
    urgency, why = urgency_of(item.title, item.text, language=language, kind=source.kind, nature=nature)
    tolls = largest(toll_of(item.title, item.text, language=language))
    regions = tagger.tag(_capitalised(text), language=language, home=source.region)
    countries = tuple(dict.fromkeys(region.country for region in regions if region.country))
    return Tagged(
        change=change,
        language=language,
        urgency=urgency,
        urgency_why=why,
        countries=countries,
        regions=regions,
        tags=source.tags,
        nature=nature.value,
        nature_why=nature_why,
        phase=phase_of(item.title, language=language),
        tolls=tuple((role, int(number)) for role, number in tolls.items() if role in ROLES),
    )


def _capitalised(text: str) -> str:
    """The text with capitals when it has none: names are found by them, and tickers and links leave them out."""
    return text.title() if text.islower() and text.isascii() else text
