"""Which live stories an item may belong to: those that share its rarest terms.

An inverted index of terms. The work for one item is bounded by what its rarest terms are shared with, not by how many
stories there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_MOST_READ = 600  # entries of postings that one item reads
_LEAST_RARE = 1.5  # log of the share: a term that every fourth story has leads nowhere


class Postings:
    """term -> ids of the stories whose kept items have it, in the order they got it."""

    def __init__(self) -> None:
        self.by_term: dict[int, list[str]] = {}

    def replace(self, story_id: str, old: set[int], new: set[int]) -> None:
        """A story has other terms than before; both sets may be empty."""
        for term in old - new:
            known = self.by_term[term]
            known.remove(story_id)
            if not known:
                del self.by_term[term]
        for term in new - old:
            self.by_term.setdefault(term, []).append(story_id)

    def nearest(self, weights: Mapping[int, float], limit: int) -> list[str]:
        """The stories that share the most weight with an item, best first."""
        return _best(self._read(weights), limit)

    def _read(self, weights: Mapping[int, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        read = 0
        for term, weight in sorted(weights.items(), key=lambda pair: -pair[1]):
            stories = self.by_term.get(term)
            if stories is None:
                continue
            read += len(stories)
            if weight < _LEAST_RARE or (read > _MOST_READ and found):
                break
            squared = weight * weight
            for story_id in stories[-_MOST_READ:]:
                found[story_id] = found.get(story_id, 0.0) + squared
        return found


def _best(found: Mapping[str, float], limit: int) -> list[str]:
    ranked: Iterable[str] = sorted(found, key=lambda story_id: -found[story_id])
    return list(ranked)[:limit]
