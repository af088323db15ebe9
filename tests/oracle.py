"""An independent oracle of a recorded history: which items are new after each source's baseline.

feedparser alone, nothing of Tocsin. It follows one sentence of the design: an item was seen if its guid or its canonical
URL (fragment and tracking parameters removed, the rest of the query kept) was seen in that source; an equal normalised
headline under a new guid within 24 h is the same item. The first page of a source that has entries is its baseline.

    python -m tests.oracle DIR    prints how many items of the history are new, by source
"""

from __future__ import annotations

import csv
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import feedparser

_TRACKING = re.compile(r"utm_.*|at_.*|fbclid|gclid|ito|cmp|cmpid|ns_.*|xtor|ref|src|rss|partner|emc|smid", re.I)


class NewItem(NamedTuple):
    """What the oracle expects to be found at one poll."""

    utc: str
    source: str
    guid: str
    url: str
    title: str


class _Source:
    def __init__(self) -> None:
        self.guids: set[str] = set()
        self.urls: set[str] = set()
        self.titles: dict[str, float] = {}

    def meets(self, guid: str, url: str, title: str, now: float) -> bool:
        """Whether the item was seen before; it is seen from now on."""
        is_known = (
            guid in self.guids
            or url in self.urls
            or (title in self.titles and (now - self.titles[title] <= 86400 or not (guid or url)))
        )
        self.guids |= {guid} - {""}
        self.urls |= {url} - {""}
        self.titles[title] = now
        return is_known


def new_items(history: Path) -> Iterator[NewItem]:
    """The new items of a history, in the order of its polls."""
    with (history / "index.tsv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file, delimiter="\t"), key=lambda row: row["utc"])
    sources: dict[str, _Source] = {}
    parsed: dict[str, feedparser.FeedParserDict] = {}
    for row in rows:
        name = row["file"]
        if name not in parsed:
            parsed[name] = feedparser.parse((history / name).read_bytes())
        entries = parsed[name].entries
        if row["source"] not in sources and not entries:
            continue
        is_first = row["source"] not in sources
        source = sources.setdefault(row["source"], _Source())
        now = datetime.strptime(row["utc"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        for entry in entries:
            guid, link, title = entry.get("id", ""), entry.get("link", ""), entry.get("title", "")
            is_known = source.meets(guid, _canonical(link), _normal(title), now)
            if not is_known and not is_first:
                yield NewItem(row["utc"], row["source"], guid, link, title)


def _canonical(url: str) -> str:
    parts = urlsplit(url.strip())
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)])
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{query}" if url else ""


def _normal(title: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", title).casefold()))


def main() -> None:
    """Print the number of new items of a history, in all and by source."""
    found = Counter(item.source for item in new_items(Path(sys.argv[1])))
    sys.stdout.write(f"{sum(found.values())} new items\n")
    for source, number in found.most_common():
        sys.stdout.write(f"{number:6} {source}\n")


if __name__ == "__main__":
    main()
