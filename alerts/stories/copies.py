"""Whether two texts are the same copy: imprints of their word shingles, small enough to be kept with a story.

An imprint holds the smallest hashes of a text's runs of words ("bottom-k", A. Broder, On the resemblance and containment of
documents, 1997). Two imprints tell which share of the shorter text stands in the longer one, so a summary that one outlet
cuts off earlier is still the same copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from alerts.text.fingerprint import hash64
from alerts.text.tokens import is_run

_KEPT = 24  # hashes of a text, 4 bytes each
_WORDS = 60  # of a text are compared: agencies' copy begins alike, what follows each outlet writes itself
_SHINGLE = 3  # words; characters of scripts without spaces say less, so of them it takes twice as many
_LEAST = 6  # shingles under which a text says too little
_COMMON = 4  # of the sampled ones that both must have: one phrase of an agency's style is no copy
_TEXT_SHARE, _TITLE_SHARE = 0.6, 0.85
# Runs of words are mixed in their order: multiplying by odd numbers carries every bit upwards, 32 of them are kept.
_A, _B, _C, _MASK = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xFFFFFFFF


class Imprint(NamedTuple):
    """The smallest hashes of headline and text, ascending; at most 192 bytes when packed."""

    title: tuple[int, ...]
    text: tuple[int, ...]


def imprint_of(title: Sequence[str], text: Sequence[str] = ()) -> Imprint:
    """The imprint of an item from the folded words of its headline and of its text's beginning.

    Parts that are too short to tell are empty.
    """
    return Imprint(_smallest(title), _smallest(text[:_WORDS]))


def is_copy(one: Imprint, other: Imprint) -> bool:
    """Whether the texts are mostly the same words in the same order; the headlines decide where a text is too short."""
    if one.text and other.text:
        return _shared(one.text, other.text) >= _TEXT_SHARE
    return bool(one.title and other.title) and _shared(one.title, other.title) >= _TITLE_SHARE


def _smallest(found: Sequence[str]) -> tuple[int, ...]:
    values = list(map(_hash, found))
    shingles = [(a * _A + b * _B + c * _C) >> 28 & _MASK for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    if sum(map(is_run, found[:20:2])) > 5:
        shingles = [(a * _A + b * _B) >> 28 & _MASK for a, b in zip(shingles, shingles[_SHINGLE:], strict=False)]
    distinct = set(shingles)
    return tuple(sorted(distinct)[:_KEPT]) if len(distinct) >= _LEAST else ()


@lru_cache(maxsize=32768)
def _hash(word: str) -> int:
    return hash64(word)


def _shared(one: Sequence[int], other: Sequence[int]) -> float:
    """The share of the shorter text in the longer one, 0 to 1, from what both imprints sampled in full."""
    bound = min(imprint[-1] for imprint in (one, other) if len(imprint) == _KEPT) if _KEPT in (len(one), len(other)) else None
    a, b = ({value for value in imprint if bound is None or value <= bound} for imprint in (one, other))
    common, least = len(a & b), min(len(a), len(b))
    return common / least if common >= _COMMON else 0.0
