"""Content hashes: the same bytes give the same id on every machine and after every restart.

Ids are never counters: after a torn log a counter would hand an old id to a new alert. The version byte makes a
changed recipe a new fingerprint on purpose instead of by accident.
"""

from __future__ import annotations

from collections.abc import Iterable

import xxhash

_VERSION = b"\x01"
_SEPARATOR = "\x1f"
MASK_48 = (1 << 48) - 1


def hash64(*parts: str) -> int:
    """A 64 bit content hash of the parts, never 0."""
    return xxhash.xxh3_64_intdigest(_VERSION + _SEPARATOR.join(parts).encode("utf-8", "surrogatepass")) or 1


def hash48(*parts: str) -> int:
    """A 48 bit content hash of the parts, never 0; enough to tell the marks of one source apart."""
    text = parts[0] if len(parts) == 1 else _SEPARATOR.join(parts)
    return (xxhash.xxh3_64_intdigest(_VERSION + text.encode("utf-8", "surrogatepass")) & MASK_48) or 1


def content_id(*parts: str) -> str:
    """An id of 20 characters for the parts, in this order (lower-case hex, 80 bits)."""
    return xxhash.xxh3_128_hexdigest(_VERSION + _SEPARATOR.join(parts).encode("utf-8", "surrogatepass"))[:20]


def body_hash(body: bytes) -> str:
    """The hash by which an unchanged body is skipped before it is parsed."""
    return xxhash.xxh3_128_hexdigest(body)


def fields_hash(fields: Iterable[tuple[str, str]]) -> int:
    """A 48 bit fingerprint of named fields; empty ones are left out, so that a new field changes nothing."""
    return hash48(*(part for name, value in fields if value for part in (name, value)))
