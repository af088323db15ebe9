"""What identifies an item's story by itself: its link, its headline, and what its own source has used before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from alerts.models import Item
from alerts.stories.urgency import strip_markers
from alerts.text.fingerprint import hash48
from alerts.text.tokens import Token, is_run, tokens, words
from alerts.text.urls import canonical_url

_MIN_WEIGHT = 4.0  # words of a headline that identifies an event by itself; a character of Han or Thai is half a word


@dataclass(frozen=True, slots=True)
class Keys:
    """The hashes of one item: what others join it by, and what its own source has used."""

    url: str
    title: str
    own_url: str
    line: str  # the whole headline of an item that has no id but this

    def all(self) -> tuple[str, ...]:
        """Those that are there, each once."""
        return tuple(dict.fromkeys(key for key in (self.url, self.title, self.own_url, self.line) if key))


@lru_cache(maxsize=64)
def cut_headline(title: str) -> tuple[str, tuple[Token, ...]]:
    """A headline without markers, and its words with spans into that; kept for a moment, since an item asks twice."""
    headline = strip_markers(title)
    return headline, tokens(headline)


def keys_of(item: Item) -> Keys:
    """The keys of one item."""
    url = canonical_url(item.url)
    folded = [token.text for token in cut_headline(item.title)[1]]
    title = " ".join(folded)
    return Keys(
        url=_hash("u", url) if url and not _is_home(url) else "",
        title=_hash("t", title) if _weight(folded) >= _MIN_WEIGHT else _hash("s", item.source_id, title) if title else "",
        own_url=_hash("w", item.source_id, url) if url else "",
        line=_hash("l", item.source_id, " ".join(words(item.title))) if title and not item.guid else "",
    )


def _hash(kind: str, *parts: str) -> str:
    return f"{kind}{hash48(*parts):012x}"


def _is_home(url: str) -> bool:
    """Whether a link goes to a site's front page, which says nothing about the item."""
    return not url.partition("://")[2].partition("/")[2]


def _weight(folded: Iterable[str]) -> float:
    return sum(0.5 if is_run(word) else 1.0 for word in folded)
