"""`tocsin regions show` and `search`: what the gazetteer knows."""

from __future__ import annotations

from typing import Annotated

import typer

from alerts.cli import show
from alerts.cli.context import Json, lazy

Name = Annotated[str, typer.Argument(help="An ISO code, a name, a group, M49:145, or near:33.27,35.20,50km.")]


def show_region(name: Name, is_json: Json = False) -> None:
    """One area as a rule would mean it: code, kind, place, what it contains, the groups around it."""
    lookup, areas = lazy("alerts.regions.lookup"), lazy("alerts.bootstrap").build_areas()
    found = lookup.show(name, areas, lazy("alerts.regions.gazetteer").load_gazetteer())
    if is_json:
        show.json_lines((found,))
        return
    point = f"{found.lat:.2f}, {found.lon:.2f}" if found.lat is not None else ""
    show.fields(
        (
            ("code", found.code),
            ("name", found.name),
            ("kind", found.kind),
            ("country", found.country),
            ("point", point),
            ("weight", found.weight),
            ("contains", found.contains),
            ("groups", found.groups),
        )
    )


def search_regions(text: Annotated[str, typer.Argument(help="A name, or how it begins.")], is_json: Json = False) -> None:
    """Every place that a name may mean, the best known first, at most 20."""
    found = lazy("alerts.regions.lookup").search(text, lazy("alerts.regions.gazetteer").load_gazetteer())
    if is_json:
        show.json_lines(found)
        return
    rows = [(f.code, f.kind, f.name, f.weight or "", f.country) for f in found]
    show.table(("CODE", "KIND", "NAME", "WEIGHT", "COUNTRY"), rows, empty="No such place.")
