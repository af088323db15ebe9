"""Bytes to text: which encoding a feed, a page or a JSON body is in, and what to do when it lies about it.

Feeds follow feedparser (RFC 3023: the HTTP header, then the XML declaration, then the byte order mark), because it is
the reference. One difference: a body that is UTF-8 but for a few bytes stays UTF-8, with U+FFFD for the broken ones;
feedparser would read all of it as windows-1252.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
# "<?" in encodings that are not a superset of ASCII (XML 1.0, appendix F)
_OPENINGS = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00?", "utf-16-be"),
    (b"<\x00?\x00", "utf-16-le"),
)
_NEVER = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "mbcs", "oem"}
_ASCII = {"", "utf-8", "ascii"}
_DECLARATION = re.compile(r"\A<\?xml[^>]*\?>")
_XML_ENCODING = re.compile(rb"\A<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?\s*([^\s;\"']{1,40})", re.I)


def xml_as_utf8(body: bytes, content_type: str) -> tuple[bytes, bool]:
    """The XML in UTF-8 without a false declaration, and whether bytes were replaced.

    Args:
        content_type: The HTTP header, with its charset; empty when there was none.
    """
    sniffed, body = _sniffed(body.lstrip(b" \t\r\n"))
    declared = _declared(body, sniffed)
    wanted = (_by_http(content_type, declared), declared, sniffed, "utf-8", "cp1252")
    if not sniffed and declared in _ASCII and wanted[0] in _ASCII and _is_utf8(body):
        return body, False
    for name in dict.fromkeys(name for name in wanted if name):
        text = _decoded(body, name)
        if text is not None:
            return _declared_as_utf8(text), False
        if name == "utf-8" and _is_nearly_utf8(body):
            return _declared_as_utf8(body.decode("utf-8", "replace")), True
    return _declared_as_utf8(body.decode("utf-8", "replace")), True


def html_text(body: bytes, content_type: str) -> str:
    """The text of an HTML page: byte order mark, HTTP header, meta, UTF-8; never fails."""
    sniffed, body = _sniffed(body)
    meta = _META_CHARSET.search(body[:8192])
    names = [sniffed, _of_header(content_type), _codec(meta.group(1).decode("ascii", "replace") if meta else ""), "utf-8"]
    # A browser reads Latin-1 and ASCII as windows-1252 (WHATWG Encoding); what is good UTF-8 is said so by mistake.
    western = "utf-8" if _is_utf8(body) else "cp1252"
    return _first_decoded(body, [western if name in ("iso8859-1", "ascii", "cp1252") else name for name in names if name])


def json_text(body: bytes, content_type: str) -> str:
    """The text of a JSON body: byte order mark, RFC 4627 sniffing, HTTP header; never fails."""
    sniffed, body = _sniffed(body)
    names = (sniffed, _codec(json.detect_encoding(body[:4] or b" ")), _of_header(content_type), "utf-8")
    return _first_decoded(body, [name for name in names if name]).strip("\ufeff\x00 \t\r\n")


def _first_decoded(body: bytes, names: Iterable[str]) -> str:
    """Decoded by the first encoding that fits, or by UTF-8 with replacements where it nearly fits, or by the first one."""
    tried = list(dict.fromkeys(names))
    for name in tried:
        text = _decoded(body, name)
        if text is not None:
            return text
    return body.decode("utf-8" if _is_nearly_utf8(body) else tried[0], "replace")


def _sniffed(body: bytes) -> tuple[str, bytes]:
    for mark, name in _BOMS:
        if body.startswith(mark):
            return name, body[len(mark) :]
    for opening, name in _OPENINGS:
        if body.startswith(opening):
            return name, body
    return "", body


def _declared(body: bytes, sniffed: str) -> str:
    head = body[:800]
    if sniffed.startswith(("utf-16", "utf-32")):
        head = head.decode(sniffed, "replace").encode("utf-8")
    found = _XML_ENCODING.match(head)
    name = _codec(found.group(1).decode("ascii")) if found else ""
    if name.startswith(("utf-16", "utf-32")):
        return sniffed  # the declaration of a body that was sniffed, or was transcoded on its way
    return name


def _by_http(content_type: str, declared: str) -> str:
    """What RFC 3023 says: text/* without a charset is ASCII, application/xml trusts the declaration."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/"):
        return _of_header(content_type) or "ascii"
    is_xml = kind in ("application/xml", "application/xml-dtd", "application/xml-external-parsed-entity") or kind.endswith("+xml")
    return (_of_header(content_type) if is_xml else "") or declared or "utf-8"


def _of_header(content_type: str) -> str:
    found = _CHARSET.search(content_type)
    return _codec(found.group(1)) if found else ""


def _codec(name: str) -> str:
    """Python's name of the encoding; empty for one that does not exist or that no page may ask for."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    found = info.name.replace("_", "-")
    if found in _NEVER or not getattr(info, "_is_text_encoding", True):
        return ""
    return "gb18030" if found in ("gb2312", "gbk") else found.removesuffix("-sig")


def _decoded(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _is_utf8(body: bytes) -> bool:
    return body.isascii() or _decoded(body, "utf-8") is not None


def _is_nearly_utf8(body: bytes) -> bool:
    """Whether more characters beyond ASCII are good UTF-8 than broken."""
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return broken <= sum(1 for c in text if c > "\x7f") - broken


def _declared_as_utf8(text: str) -> bytes:
    return _DECLARATION.sub('<?xml version="1.0" encoding="utf-8"?>', text, count=1).encode("utf-8", "replace")
