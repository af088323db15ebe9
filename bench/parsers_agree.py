"""How often the fast feed parser reads what feedparser reads, over every document in ../shared/data/feeds and histories.

    python -m bench.parsers_agree [--names] [ARCHIVE ...]

`same` and `different` compare guid, link, headline, text and instant of every entry. `no vote`: there is nothing to compare,
or the document is not sound (broken XML, a document type, no feed), and feedparser alone is asked.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from alerts.errors import ParseError
from alerts.sources.feed import read_feed
from alerts.sources.sandbox import Sandbox

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ENDINGS = (".xml", ".rss", ".atom", ".rdf", ".json", ".html", ".feed", ".txt")


def documents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each document in an archive."""
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and member.name.endswith(ENDINGS) else None
            if file:
                yield member.name, file.read()


def verdict(body: bytes, sandbox: Sandbox) -> str:
    """refused | no vote | same | different | json feed, of one document."""
    try:
        reading = read_feed("bench", body, content_type="", base_url="https://bench.example/feed", votes=0, sandbox=sandbox)
    except ParseError:
        return "refused"
    if reading.parser == "json feed":
        return reading.parser
    return {1: "same", 0: "no vote", -1: "different"}[reading.votes]


def tally(archive: Path, sandbox: Sandbox) -> dict[str, list[str]]:
    """Verdict -> names of the documents, of one archive."""
    found = defaultdict[str, list[str]](list)
    for name, body in documents(archive):
        found[verdict(body, sandbox)].append(name)
    return found


def row(archive: Path, found: dict[str, list[str]]) -> str:
    """The archive's row of the table."""
    counts = {verdict: len(names) for verdict, names in found.items()}
    cells = [counts.get(key, 0) for key in ("json feed", "refused", "no vote", "same", "different")]
    agreement = counts.get("same", 0) / max(counts.get("same", 0) + counts.get("different", 0), 1)
    return f"| {archive.name.partition('.')[0]} | {sum(counts.values())} | {' | '.join(map(str, cells))} | {agreement:.1%} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archives", nargs="*", type=Path)
    parser.add_argument("--names", action="store_true", help="also print the names of the documents that differ")
    given = parser.parse_args()
    archives = given.archives or [*sorted((SHARED / "feeds").glob("*parser*.tar.xz")), *sorted((SHARED / "histories").glob("*.tar.xz"))]
    if not archives:
        sys.exit(f"{SHARED}: no documents there; name archives")
    print("| archive | documents | json feed | refused | no vote | same | different | agreement |\n|---|---|---|---|---|---|---|---|")
    with Sandbox() as sandbox:
        for archive in archives:
            found = tally(archive, sandbox)
            print(row(archive, found))
            if given.names:
                print("\n".join(found["different"]), file=sys.stderr)


if __name__ == "__main__":
    main()
