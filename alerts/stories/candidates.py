"""Which live stories an item may belong to: those that share its rarest terms.

An inverted index of terms. The work for one item is bounded by what its rarest terms are shared with, not by how many
stories there are.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping

_MOST_READ = 300  # entries of postings that one item reads
_LEAST_RARE = 1.5  # log of the share: a term that every fourth story has leads nowhere


class Postings:
    """term -> ids of the stories whose kept items have it, in the order they got it."""

    def __init__(self) -> None:
        self.by_term: dict[int, list[str]] = {}
        self._sizes: dict[str, int] = {}  # story -> how many terms it has

    def replace(self, story_id: str, old: set[int], new: set[int]) -> None:
        """A story has other terms than before; both sets may be empty."""
        if new:
            self._sizes[story_id] = len(new)
        else:
            self._sizes.pop(story_id, None)
        for term in old - new:
            known = self.by_term[term]
            known.remove(story_id)
            if not known:
                del self.by_term[term]
        for term in new - old:
            self.by_term.setdefault(term, []).append(story_id)

    def nearest(self, weights: Mapping[int, float], limit: int) -> list[str]:
        """The stories that share the most weight with an item for the terms they have, best first."""
        found, sizes = self._read(weights), self._sizes
        best = heapq.nlargest(3 * limit, found, key=found.__getitem__)
        return sorted(best, key=lambda story_id: -found[story_id] / math.sqrt(sizes[story_id]))[:limit]

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
