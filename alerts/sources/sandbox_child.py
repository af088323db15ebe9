"""feedparser in a process of its own: reads requests on stdin, answers on stdout, ends when idle or when stdin ends.

Run by `sandbox.py` as a script, with nothing of Tocsin imported: what a hostile feed can reach here is feedparser, a
bounded piece of memory and a few seconds of CPU.

    request   two lengths (4 bytes each, big-endian), headers as JSON, body
    answer    one length, the feed as JSON: the fields of RawFeed, or {"error": ...}
"""

from __future__ import annotations

import io
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import feedparser

_MAX_ENTRIES = 10_000
_MARKUP_CHARS = 40_000
_SHORT_CHARS = 4000
# What feedparser lets out on documents that surprise it.
_SURPRISES = (ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, RecursionError, StopIteration)


def serve(requests: BinaryIO, answers: BinaryIO, *, timeout_s: float, idle_s: float) -> None:
    """Answer requests until there are no more, or none came for `idle_s` seconds."""
    while select.select([requests], [], [], idle_s)[0]:
        lengths = requests.read(8)
        if len(lengths) < 8:
            return
        head, body = struct.unpack(">II", lengths)
        headers = json.loads(requests.read(head))
        _allow_cpu(timeout_s)
        answer = json.dumps(read(requests.read(body), headers)).encode("utf-8")
        answers.write(struct.pack(">I", len(answer)) + answer)
        answers.flush()


def read(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The feed as plain JSON types, or {"error": ...} when feedparser gave up.

    HTML is neither cleaned nor its links resolved: all of it becomes plain text later.
    """
    try:
        # A stream: a bare bytes argument would be taken for the name of a file.
        parsed = feedparser.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
        return _feed(parsed)
    except _SURPRISES as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def _feed(parsed: Any) -> dict[str, Any]:
    return {
        "entries": [_entry(entry) for entry in parsed.entries[:_MAX_ENTRIES]],
        "title": _string(parsed.feed.get("title")),
        "link": _string(parsed.feed.get("link")),
        "language": _string(parsed.feed.get("language")),
        "version": _string(parsed.get("version")),
        "is_bozo": bool(parsed.get("bozo")),
    }


def _entry(entry: Any) -> dict[str, Any]:
    contents = [content for content in entry.get("content") or [] if content.get("value")]
    return {
        "guid": _string(entry.get("id")),
        "link": _string(entry.get("link")),
        "title": _string(entry.get("title")),
        "summary": _string(entry.get("summary"), _MARKUP_CHARS),
        "content": _string(contents[0]["value"], _MARKUP_CHARS) if contents else "",
        "published": _moment(dict.get(entry, "published_parsed")),
        # dict.get: feedparser's own one answers "updated" with "published", and warns about it
        "updated": _moment(dict.get(entry, "updated_parsed") or dict.get(entry, "created_parsed")),
        "author": _string(entry.get("author")),
        "tags": [_string(tag.get("term")) for tag in (entry.get("tags") or [])[:20]],
    }


def _string(value: Any, chars: int = _SHORT_CHARS) -> str:
    return value[:chars] if isinstance(value, str) else ""


def _moment(parsed: Any) -> str:
    """ISO 8601 of feedparser's UTC time tuple; empty when there is none, or none that a clock could show."""
    if not parsed:
        return ""
    try:
        year, month, day, hour, minute, second = parsed[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""


def _allow_cpu(seconds: float) -> None:
    """The kernel ends this process after that much more CPU time."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))


def main() -> None:
    """Serve with the limits given as arguments: CPU seconds a request, MB of memory, idle seconds."""
    timeout_s, memory_mb, idle_s = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; stdin ends with it
    requests, answers = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but answers goes to the parent
    for limit, value in ((resource.RLIMIT_AS, memory_mb << 20), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    with io.BufferedReader(requests) as stream, answers:
        serve(stream, answers, timeout_s=timeout_s, idle_s=idle_s)


if __name__ == "__main__":
    main()
