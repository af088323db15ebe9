"""Circles and polygons on the globe, and whether a point lies in one; read from "near:" and from GeoJSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError

_NEAR = re.compile(r"near:\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*km", re.I)
_EARTH_KM = 6371.0
_FARTHEST_KM = 2000
Ring = tuple[tuple[float, float], ...]  # (longitude, latitude), as in GeoJSON


@dataclass(frozen=True, slots=True)
class Shape:
    """A circle (radius_km > 0) or polygons: outer rings and holes alike, by the even-odd rule."""

    lat: float = 0.0
    lon: float = 0.0
    radius_km: float = 0.0
    rings: tuple[Ring, ...] = ()

    def contains(self, lat: float, lon: float) -> bool:
        """Whether the point lies inside."""
        if self.radius_km:
            return distance_km(self.lat, self.lon, lat, lon) <= self.radius_km
        return sum(_crosses(ring, lat, lon) for ring in self.rings) % 2 == 1

    def box(self) -> tuple[float, float, float, float]:
        """South, north, west, east; a circle over a pole or the date line goes all the way round."""
        if not self.radius_km:
            lons, lats = zip(*(point for ring in self.rings for point in ring), strict=True)
            return min(lats), max(lats), min(lons), max(lons)
        high = math.degrees(self.radius_km / _EARTH_KM)
        south, north = self.lat - high, self.lat + high
        wide = 180.0 if north > 89 or south < -89 else high / max(0.02, math.cos(math.radians(max(abs(south), abs(north)))))
        west, east = self.lon - wide, self.lon + wide
        return (south, north, -180.0, 180.0) if west < -180 or east > 180 else (south, north, west, east)


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Kilometres between two points along the globe (haversine)."""
    one, other = math.radians(lat), math.radians(other_lat)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def read_near(text: str) -> Shape | None:
    """The circle of "near:33.27,35.20,50km"; None when the text is something else.

    Raises:
        ConfigError: It begins with near: but cannot be read; says what is allowed.
    """
    if not text.lower().startswith("near:"):
        return None
    found = _NEAR.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f'"{text}" is no circle; write near:LATITUDE,LONGITUDE,RADIUSkm, such as near:33.27,35.20,50km')
    lat, lon, radius = map(float, found.groups())
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and 0 < radius <= _FARTHEST_KM):
        raise ConfigError(f'"{text}": latitude goes from -90 to 90, longitude from -180 to 180, the radius up to {_FARTHEST_KM} km')
    return Shape(lat, lon, radius)


def read_geojson(path: Path) -> Shape:
    """The polygons of a GeoJSON file (RFC 7946): Polygon, MultiPolygon, Feature or FeatureCollection.

    Raises:
        ConfigError: The file cannot be read or holds no polygon; names the file.
    """
    try:
        rings = tuple(rings_of(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{path}: no GeoJSON with polygons: {error or type(error).__name__}") from error
    if not rings:
        raise ConfigError(f"{path}: holds no polygon; give a Polygon or MultiPolygon")
    return Shape(rings=rings)


def rings_of(value: Any) -> list[Ring]:
    """The rings of a GeoJSON object. Raises: ValueError, TypeError, KeyError or AttributeError when it is none."""
    if value.get("type") == "FeatureCollection":
        return [ring for feature in value["features"] for ring in rings_of(feature)]
    if value.get("type") == "Feature":
        return rings_of(value["geometry"])
    if value.get("type") == "Polygon":
        return [ring_of(ring) for ring in value["coordinates"]]
    if value.get("type") == "MultiPolygon":
        return [ring_of(ring) for polygon in value["coordinates"] for ring in polygon]
    raise ValueError(f"type {value.get('type')!r} is no polygon")


def ring_of(points: Sequence[Any]) -> Ring:
    """One ring of (longitude, latitude). Raises: ValueError for fewer than three points or numbers off the globe."""
    ring = tuple((float(point[0]), float(point[1])) for point in points)
    if len(set(ring)) < 3 or not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in ring):
        raise ValueError("a ring needs three points of [longitude, latitude] on the globe")
    return ring


def _crosses(ring: Ring, lat: float, lon: float) -> int:
    """How many sides of the ring a ray from the point to the east crosses."""
    count = 0
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            count += 1
    return count
