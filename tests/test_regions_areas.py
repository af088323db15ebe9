"""Areas of rules: containment, circles, polygons, groups, and the three answers of the test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.errors import ConfigError, NotFoundError
from alerts.models import RegionEvidence
from alerts.regions.areas import AreaIndex
from alerts.regions.gazetteer import load_gazetteer
from alerts.regions.lookup import search, show
from alerts.regions.shapes import Shape, distance_km, read_geojson, read_near
from alerts.regions.tagger import Tagger, countries_of
from alerts.rules.index import RuleIndex
from alerts.rules.query import query_id

ROOT = Path(__file__).parent.parent
TAGGER = Tagger.load()
AREAS = AreaIndex.load(ROOT / "config" / "regions.toml")
SQUARE = [[35.0, 33.0], [36.0, 33.0], [36.0, 33.6], [35.0, 33.6], [35.0, 33.0]]


def answer(area: str, text: str, language: str = "en", areas: AreaIndex = AREAS) -> bool | None:
    found = TAGGER.tag(text, language=language, home=None)
    return areas.test(area, countries_of(found), found)


@pytest.mark.parametrize(
    ("area", "text", "expected"),
    [
        ("South Lebanon", "Drone hits car in Bint Jbeil", True),
        ("South Lebanon", "Drone hits car in South Lebanon", True),
        ("South Lebanon", "Drone hits car in Lebanon", None),
        ("South Lebanon", "Strike in Baalbek, Lebanon", False),
        ("South Lebanon", "Election in France", False),
        ("South Lebanon", "A quiet day", None),
        ("Goma", "Fighting near Goma", True),
        ("Goma", "Fighting in North Kivu", None),
        ("CD-NK", "Fighting near Goma", True),
        ("Africa", "Fighting near Goma", True),
        ("M49:017", "Fighting near Goma", True),
        ("Gaza Strip", "Strike on Khan Younis", True),
        ("West Bank", "Strike on Khan Younis", False),
        ("Red Sea", "Ship hit in the Red Sea", True),
        ("Red Sea", "Ship hit in the Black Sea", False),
        ("EG", "Ship hit in the Red Sea", False),
        ("near:33.27,35.20,50km", "Strike on Aitaroun", True),
        ("near:33.27,35.20,50km", "Strike in Tripoli, Lebanon", False),
        ("near:33.27,35.20,50km", "Strike in Lebanon", None),
        ("near:33.27,35.20,50km", "Strike in France", False),
    ],
)
def test_a_place_is_in_its_subdivision_its_country_and_their_groups(area: str, text: str, expected: bool | None) -> None:
    assert expected is answer(area, text)


@pytest.mark.parametrize("text", ["Обстрел Харькова", "Вибухи у Харкові", "Wybuch w Charkowie", "Kharkiv hit again", "قصف على خاركيف"])
def test_a_city_is_in_its_country_in_every_language(text: str) -> None:
    language = "ar" if text > "\u0600" else "uk" if "Вибухи" in text else "ru" if text > "\u0400" else "pl" if "Wybuch" in text else "en"
    assert answer("UA", text, language) is True
    assert answer("UA-63", text, language) is True


@pytest.mark.parametrize(
    ("area", "text"),
    [
        ("PS", "Raid in Jenin"),
        ("UA", "Blasts in Sevastopol"),
        ("Crimea", "Blasts in Sevastopol"),
        ("TW", "Quake near Taipei"),
        ("XK", "Talks in Pristina"),
    ],
)
def test_disputed_territories_keep_their_iso_codes(area: str, text: str) -> None:
    assert answer(area, text) is True


def test_a_rule_with_a_circle_rings_through_the_index() -> None:
    index = RuleIndex(AREAS)
    index.put("r", 'region:"near:33.27,35.20,50km"', False)
    assert {"LB", "IL"} <= AREAS.countries_in("near:33.27,35.20,50km")


def test_circles_in_different_places_are_different_queries() -> None:
    circles = [f'region:"near:{point},50km"' for point in ("33.27,35.20", "33.27,-35.20", "3.327,35.20")]
    assert 3 == len({query_id(circle, False) for circle in circles})
    assert query_id('region:"NEAR:33.27, 35.20, 50km"', False) == query_id(circles[0], False)


def test_distance_is_along_the_globe() -> None:
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
    assert distance_km(33.27, 35.2, 33.27, 35.2) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("near:33,35", "is no circle"),
        ("near:95,35,5km", "latitude goes from -90"),
        ("near:33,35,0km", "the radius up to"),
        ("near:33,35,9999km", "the radius up to"),
    ],
)
def test_a_wrong_circle_is_refused(text: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        AREAS.resolve(text)
    assert read_near("Beirut") is None


def test_a_hole_in_a_polygon_is_outside(tmp_path: Path) -> None:
    hole = [[35.4, 33.2], [35.6, 33.2], [35.6, 33.4], [35.4, 33.4], [35.4, 33.2]]
    path = tmp_path / "area.geojson"
    shape = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE, hole]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [shape]}))
    found = read_geojson(path)
    assert [True, False, False] == [found.contains(33.1, 35.1), found.contains(33.3, 35.5), found.contains(34.0, 35.1)]


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}']
)
def test_a_file_without_a_polygon_is_refused(tmp_path: Path, body: str) -> None:
    path = tmp_path / "area.geojson"
    path.write_text(body)
    with pytest.raises(ConfigError, match=r"area\.geojson"):
        read_geojson(path)


def test_a_group_may_be_a_polygon_a_circle_or_places(tmp_path: Path) -> None:
    path = tmp_path / "regions.toml"
    (tmp_path / "south.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [SQUARE]}))
    path.write_text(
        f'[group.Box]\npolygon = {SQUARE}\n[group.File]\ngeojson = "south.geojson"\n[group.Ring]\nnear = "33.12,35.43,20km"\n'
        '[group.Named]\nplaces = ["Donbas"]\nsubdivisions = ["LB-NA"]\n'
    )
    areas = AreaIndex.load(path)
    for group in ("Box", "File", "Ring", "Named"):
        assert answer(group, "Drone hits car in Bint Jbeil", areas=areas) is True
        assert answer(group, "Drone hits car in Paris", areas=areas) is False
    assert answer("Named", "Fighting in Donbas", areas=areas) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[group.A]\nsubdivisions = ["LB-XX"]', r"group\.A\.subdivisions: 'LB-XX' is no ISO 3166-2 code"),
        ('[group.A]\nplaces = ["Xyzzyq"]', r"group\.A\.places: 'Xyzzyq' is not in the gazetteer"),
        ("[group.A]\npolygon = [[1, 2]]", r"group\.A\.polygon: must be a list of \[longitude, latitude\]"),
        ('[group.A]\npolygon = "x"', r"group\.A\.polygon: must be"),
        ('[group.A]\nnear = "here"', "is no circle"),
        ('[group.A]\ngeojson = "missing.json"', r"missing\.json"),
        ("[group.A]\nnear = 5", r"group\.A\.near: must be a text"),
    ],
)
def test_a_wrong_group_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        AreaIndex.load(path)


def test_show_says_what_a_rule_means() -> None:
    found = show("South Lebanon", AREAS, load_gazetteer())
    assert ("SouthLebanon", "group", "Lebanon") == (found.code, found.kind, found.country)
    assert {"LB-JA", "LB-NA"} <= set(found.contains)
    assert "MENA" in found.groups
    assert "Africa" in show("Goma", AREAS, load_gazetteer()).groups


def test_search_lists_every_place_of_a_name_the_best_known_first() -> None:
    found = search("Tripoli", load_gazetteer())
    assert ["LY", "LB"] == list(dict.fromkeys(place.code[:2] for place in found))[:2]
    with pytest.raises(NotFoundError, match="no place is called"):
        search("///", load_gazetteer())


def test_nonsense_evidence_does_not_break_the_test() -> None:
    evidence = RegionEvidence(code="", name="", kind="")
    assert AREAS.test("South Lebanon", ("", "XX"), (evidence,)) is False
    assert not Shape(1.0, 1.0, 5.0).contains(50.0, 50.0)
