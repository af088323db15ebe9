"""Lists of feeds in OPML, in and out: what other readers export becomes sources."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lxml import etree

from alerts.errors import ParseError
from alerts.models import Source, SourceKind
from alerts.sources.entries import language_of
from alerts.text.normalise import clean
from alerts.text.urls import absolute_url

MAX_SOURCES = 10_000
_SLUG_CHARS = 48  # room for a number that makes it unique
_NAME_CHARS = 200
_TAG_CHARS = 60


class Listed(NamedTuple):
    """What a list says: its sources, and what of it could not be used, in words."""

    sources: tuple[Source, ...]
    problems: tuple[str, ...]


class _Outline(NamedTuple):
    """One outline with an address, and the titles of those it stands in."""

    line: int
    attributes: Mapping[str, str]
    above: tuple[str, ...]


def slug(text: str) -> str:
    """An id made of a name: small ASCII letters, digits and hyphens; empty when the name has none."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:_SLUG_CHARS].strip("-")


def read_opml(body: bytes) -> Listed:
    """The feeds of an OPML file, in its order; titles of outlines around a feed become its tags.

    Args:
        body: OPML 1.0 to 2.0. Slightly broken XML, as many exports are, is read as far as it can be.

    Returns:
        The sources, with ids unique in this list, and a problem for each outline that was left out: no http(s)
        address, or one that was there before.

    Raises:
        ParseError: It is no OPML at all.
    """
    sources: dict[str, Source] = {}
    problems: list[str] = []
    taken: set[str] = set()
    for outline in _outlines(_body_of(body), ()):
        url = absolute_url("", outline.attributes["xmlurl"])
        problem = _problem(url, outline, sources)
        if problem:
            problems.append(f"line {outline.line}: {problem}")
            continue
        sources[url] = _source(outline, url, taken)
    return Listed(tuple(sources.values()), tuple(problems))


def write_opml(sources: Sequence[Source], title: str = "Tocsin sources") -> bytes:
    """The feeds among the sources as OPML 2.0, in UTF-8; tags become outlines around them."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = _writable(title)
    groups: dict[tuple[str, ...], Any] = {(): etree.SubElement(root, "body")}
    for source in sources:
        if source.kind is not SourceKind.FEED:
            continue
        name = _writable(source.name or source.source_id)
        given = {"type": "rss", "text": name, "title": name, "xmlUrl": _writable(source.url)}
        if source.language:
            given["language"] = source.language
        etree.SubElement(_group(groups, source.tags), "outline", given)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _group(groups: dict[tuple[str, ...], Any], tags: tuple[str, ...]) -> Any:
    """The outline for these tags, made with those around it when it is not there yet."""
    if tags not in groups:
        name = _writable(tags[-1])
        groups[tags] = etree.SubElement(_group(groups, tags[:-1]), "outline", {"text": name, "title": name})
    return groups[tags]


def _body_of(body: bytes) -> Any:
    """The element that holds the outlines. Raises: ParseError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ParseError(f"this is no OPML: {error}") from error
    if root is None or _local(root) != "opml":
        found = f"its root is <{_local(root)}>" if root is not None else "it is no XML"
        raise ParseError(f"this is no OPML: {found}; export the list of feeds as OPML")
    return next((child for child in root if _local(child) == "body"), root)


def _outlines(parent: Any, above: tuple[str, ...]) -> Iterator[_Outline]:
    """The outlines that have an address, in the order of the file; lxml refuses files nested over 250 deep."""
    for element in parent:
        if _local(element) != "outline":
            continue
        attributes = {str(name).rpartition("}")[2].lower(): str(value) for name, value in element.attrib.items()}
        if attributes.get("xmlurl", "").strip() or attributes.get("type", "").lower() in ("rss", "atom"):
            attributes.setdefault("xmlurl", "")
            yield _Outline(element.sourceline or 0, attributes, above)
        name = _title(attributes)[:_TAG_CHARS]
        yield from _outlines(element, (*above, name) if name else above)


def _problem(url: str, outline: _Outline, sources: Mapping[str, Source]) -> str:
    """Why an outline is left out; empty when it is not."""
    given = outline.attributes["xmlurl"].strip()
    if not given:
        return f"{_title(outline.attributes)!r} has no xmlUrl"
    if not url or not urlsplit(url).hostname or len(url) > 2000:
        return f"xmlUrl {given[:100]!r} is no http or https URL"
    if "@" in urlsplit(url).netloc:
        return f"xmlUrl of {_title(outline.attributes)!r} holds a user or password; use headers of the source instead"
    if url in sources:
        return f"{url} is listed twice"
    return f"more than {MAX_SOURCES} sources" if len(sources) >= MAX_SOURCES else ""


def _source(outline: _Outline, url: str, taken: set[str]) -> Source:
    name = _title(outline.attributes)[:_NAME_CHARS].strip()
    source_id = _unique(slug(name) or slug(urlsplit(url).hostname or "") or "source", taken)
    return Source(
        source_id=source_id,
        url=url,
        name=name or source_id,
        language=language_of(outline.attributes.get("language", "")),
        tags=tuple(dict.fromkeys(outline.above)),
    )


def _unique(wanted: str, taken: set[str]) -> str:
    """The id, with a number when it is taken."""
    found, number = wanted, 2
    while found in taken:
        found, number = f"{wanted}-{number}", number + 1
    taken.add(found)
    return found


def _title(attributes: Mapping[str, str]) -> str:
    return clean(attributes.get("title") or attributes.get("text") or "")


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _writable(text: str) -> str:
    """Without what XML cannot hold."""
    return clean("".join(c for c in text if c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff"))
