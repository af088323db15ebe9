"""Sources from a file: the [[source]] tables of config/sources.toml, checked key by key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from alerts.errors import ConfigError, ParseError
from alerts.models import Selectors, Source, SourceKind
from alerts.sources import jsonapi, ticker
from alerts.text.urls import is_web_address

SLUG = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
_Short = Annotated[str, Field(max_length=500)]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must hold no control characters")
    return text


class SelectorTable(BaseModel):
    """The `selectors` of a ticker page (CSS) or JSON endpoint (jmespath)."""

    model_config = ConfigDict(extra="forbid")
    item: _Short
    text: _Short = ""
    link: _Short = ""
    time: _Short = ""
    guid: _Short = ""
    canary: _Short = ""


class SourceTable(BaseModel):
    """One [[source]]: what a person may say about a source."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(pattern=SLUG)]
    url: Annotated[str, Field(max_length=2000)]
    kind: SourceKind = SourceKind.FEED
    name: Annotated[str, Field(max_length=200), AfterValidator(_printable)] = ""
    language: Annotated[str, Field(pattern=r"^[a-zA-Z]{2,3}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    tags: tuple[Annotated[str, Field(max_length=60), AfterValidator(_printable)], ...] = ()
    floor_s: Annotated[float, Field(ge=1, le=86400)] = 60.0
    ceiling_s: Annotated[float, Field(ge=1, le=604800)] = 3600.0
    line_ttl_s: Annotated[float, Field(ge=60, le=2592000)] = 86400.0
    selectors: SelectorTable | None = None
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")], Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,500}$")]] = {}
    paused: bool = False

    def source(self) -> Source:
        """The source. Raises: ValueError when the parts do not fit together."""
        if not is_web_address(self.url):
            raise ValueError(f"url: {self.url!r} is no http or https URL")
        if re.match(r"https?://[^/]*@", self.url):
            raise ValueError("url: user and password do not belong into the URL; use headers")
        if self.ceiling_s < self.floor_s:
            raise ValueError(f"ceiling_s: {self.ceiling_s:g} is under floor_s ({self.floor_s:g})")
        if self.kind is not SourceKind.FEED and self.selectors is None:
            raise ValueError(f"selectors: a {self.kind.value} needs at least selectors.item")
        selectors = Selectors(**self.selectors.model_dump()) if self.selectors else None
        if selectors:
            _check_selectors(self.kind, selectors)
        return Source(
            source_id=self.id,
            url=self.url,
            kind=self.kind,
            name=self.name,
            language=self.language.lower() if self.language else None,
            region=self.region,
            tags=self.tags,
            floor_s=self.floor_s,
            ceiling_s=self.ceiling_s,
            line_ttl_s=self.line_ttl_s,
            selectors=selectors,
            headers=self.headers,
            is_paused=self.paused,
        )


def _check_selectors(kind: SourceKind, selectors: Selectors) -> None:
    """Raises: ValueError when a selector does not compile."""
    check = {SourceKind.TICKER: ticker.check_selectors, SourceKind.JSON: jsonapi.check_selectors}.get(kind)
    try:
        if check:
            check(selectors)
    except ParseError as error:
        raise ValueError(str(error)) from error


def source_of(table: Mapping[str, Any], *, where: str) -> Source:
    """One source from its table.

    Args:
        where: File and place, for the error message.

    Raises:
        ConfigError: Names place, key, what is wrong and what is allowed.
    """
    try:
        return SourceTable.model_validate(table).source()
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {_problem(dict(e))}" for e in error.errors())) from error
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def sources_of(tables: Any, *, path: Path) -> tuple[Source, ...]:
    """The sources of a file's [[source]] tables. Raises: ConfigError."""
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ConfigError(f"{path}: source: must be tables [[source]]")
    sources = tuple(source_of(t, where=f"{path}: source {n} ({t.get('id', 'no id')})") for n, t in enumerate(tables, 1))
    _refuse_twice([s.source_id for s in sources], path)
    return sources


def _refuse_twice(ids: Sequence[str], path: Path) -> None:
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ConfigError(f"{path}: source: id {twice[0]!r} is used twice")


def _problem(error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key; known are {', '.join(SourceTable.model_fields)}"
    given = repr(error.get("input"))
    return f"{key}: {error['msg'][0].lower()}{error['msg'][1:]}, not {given if len(given) < 80 else given[:77] + '...'}"


def table_of(source: Source) -> dict[str, Any]:
    """The [[source]] table of a source; keys at their default are left out."""
    table = SourceTable(
        id=source.source_id,
        url=source.url,
        kind=source.kind,
        name=source.name,
        language=source.language,
        region=source.region,
        tags=source.tags,
        floor_s=source.floor_s,
        ceiling_s=source.ceiling_s,
        line_ttl_s=source.line_ttl_s,
        selectors=SelectorTable(**{k: getattr(source.selectors, k) for k in SelectorTable.model_fields})
        if source.selectors
        else None,
        headers=dict(source.headers),
        paused=source.is_paused,
    )
    return table.model_dump(exclude_defaults=True, mode="json")
