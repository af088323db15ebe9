"""Single facts of an archived item, read from its JSON where they stand, without decoding the rest.

The JSON is that of `Tagged`, its keys in the order of the model, fields at their default left out. A key cannot be faked by
what people wrote: in there quotes are escaped. What the item itself says comes before `found_at`, what tagging said of it after.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

_HEAD = re.compile(rb'"item_id":"([^"\\]*)","item":\{"source_id":"([^"\\]*)"')
_SPOT = re.compile(rb'"code":"([^"\\]*)","name":"([^"\\]*)","kind":"([^"\\]*)"(?:,"lat":([-+.\deE]+))?(?:,"lon":([-+.\deE]+))?')
_LANGUAGE = b'},"language":"'  # behind the change; the item's own follows something else
_DECODE = json.JSONDecoder().raw_decode
_REMEMBERED = 65_536  # combinations of countries, of places


class Spot(NamedTuple):
    """A place of an item, as areas ask about it."""

    code: str
    name: str
    kind: str
    lat: float | None
    lon: float | None

    @property
    def country(self) -> str:
        """As of `RegionEvidence`."""
        return "" if self.code == "XZ" else self.code[:2]


def string_of(raw: bytes, name: bytes, start: int = 0) -> bytes:
    """The first string under this key, as UTF-8; b"" when there is none.

    Args:
        name: The key with what stands around it: b'"title":"'.
        start: Where to begin to look.
    """
    at = raw.find(name, start) + len(name)
    if at < len(name):
        return b""
    found = raw[at : raw.find(b'"', at)]
    if b"\\" not in found:
        return found
    text: str = _DECODE(raw[at - 1 :].decode())[0]
    return text.encode()


def identity(raw: bytes) -> tuple[bytes, bytes]:
    """Item id and source id."""
    found = _HEAD.search(raw)
    if found is None:
        change = json.loads(raw)["change"]
        return change["item_id"].encode(), change["item"]["source_id"].encode()
    return found[1], found[2]


def polled_at(raw: bytes) -> datetime:
    """When the item was found, UTC."""
    return datetime.fromisoformat(string_of(raw, b'"polled_at":"').decode())


def published_at(raw: bytes) -> datetime | None:
    """The item's own date, UTC."""
    text = string_of(raw, b'"published_at":"')
    return datetime.fromisoformat(text.decode()) if text else None


def language(raw: bytes) -> str | None:
    """As it was tagged."""
    at = raw.rfind(_LANGUAGE)
    return string_of(raw, _LANGUAGE, at).decode() if at > 0 else None


def urgency(raw: bytes) -> int:
    """The item's own, 1 (highest) to 5."""
    at = raw.rfind(b'"urgency":') + 10
    return raw[at] - 48 if at > 9 else 5


def countries(raw: bytes) -> tuple[str, ...]:
    """The item's own, most relevant first."""
    at = raw.rfind(b'"countries":[') + 13
    return _codes(raw[at : raw.find(b"]", at)]) if at > 12 else ()


def spots(raw: bytes) -> tuple[Spot, ...]:
    """The places of the item."""
    at = raw.rfind(b'"regions":[')
    if at < 0:
        return ()
    found = _SPOT.findall(raw, at)
    if len(found) != raw.count(b'"code":"', at):  # a name with a quote in it
        rows = json.loads(raw)["regions"]
        return tuple(Spot(r["code"], r["name"], r["kind"], r.get("lat"), r.get("lon")) for r in rows)
    return _spots(*found)


@lru_cache(maxsize=_REMEMBERED)
def _codes(listed: bytes) -> tuple[str, ...]:
    """The texts of a list in JSON."""
    return tuple(json.loads(b"[%b]" % listed))


@lru_cache(maxsize=_REMEMBERED)
def _spots(*found: tuple[bytes, bytes, bytes, bytes, bytes]) -> tuple[Spot, ...]:
    return tuple(Spot(c.decode(), n.decode(), k.decode(), _degrees(lat), _degrees(lon)) for c, n, k, lat, lon in found)


def _degrees(text: bytes) -> float | None:
    return float(text) if text else None


def facts(raw: bytes) -> dict[str, Any]:
    """All of it, decoded."""
    found: dict[str, Any] = json.loads(raw)
    return found
