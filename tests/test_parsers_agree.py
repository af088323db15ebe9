"""The fast feed parser against the reference, over real documents and over nonsense; and real ticker pages.

The documents are other people's and stay in ../shared/data: without them, these tests skip. The table over all of them
is printed by `python -m bench.parsers_agree`.
"""

from __future__ import annotations

import gzip
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.errors import ParseError
from alerts.models import Item, Selectors, SourceKind
from alerts.sources.feed import DISTRUSTED, TRUSTED, is_same
from alerts.sources.parse import Parsed, parse
from alerts.sources.sandbox import Sandbox
from tests.builders import a_source

SHARED = Path(__file__).parents[2] / "shared" / "data"
SMALL = 60_000  # bytes: big documents are the benchmark's
SOURCE = a_source("documents")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def documents(archive: str, every: int = 1) -> Iterator[tuple[str, bytes]]:
    """Each n-th small document of an archive under ../shared/data."""
    path = SHARED / archive
    if not path.is_file():
        pytest.skip(f"../shared/data/{archive} is not here")
    with tarfile.open(path) as tar:
        members = [m for m in tar if m.isfile() and m.size < SMALL and not m.name.endswith((".tsv", ".txt", ".py"))]
        for member in members[::every]:
            file = tar.extractfile(member)
            if file:
                yield member.name, file.read()


def read(body: bytes, votes: int, sandbox: Sandbox, content_type: str = "") -> Parsed | None:
    """What parse makes of it; None where it says that this is no feed."""
    try:
        return parse(SOURCE, body, content_type=content_type, base_url=SOURCE.url, votes=votes, sandbox=sandbox)
    except ParseError:
        return None


def compare(name: str, body: bytes, sandbox: Sandbox) -> str:
    """refused | no vote | same | different; what is trusted after a vote must read what the reference reads."""
    tried = read(body, TRUSTED - 1, sandbox)
    if tried is None:
        return "refused"
    if tried.votes == TRUSTED - 1:
        return "no vote"
    if tried.votes == DISTRUSTED:
        return "different"
    fast = read(body, TRUSTED, sandbox)
    assert fast is not None
    assert fast.parser == "fastfeedparser", name
    assert is_same(fast.items, tried.items), name
    return "same"


@pytest.mark.parametrize(
    ("archive", "every", "at_least"),
    [
        ("feeds/feedparser_tests.tar.xz", 2, 0.85),
        ("feeds/other_parsers.tar.xz", 2, 0.85),
        ("histories/english_2020_05_17.tar.xz", 8, 1.0),
        ("histories/world_2026_08_13.tar.xz", 4, 1.0),
    ],
)
def test_the_fast_parser_reads_what_the_reference_reads_wherever_it_is_trusted(
    archive: str, every: int, at_least: float, sandbox: Sandbox
) -> None:
    counts = Counter(compare(name, body, sandbox) for name, body in documents(archive, every))
    share = counts["same"] / (counts["same"] + counts["different"])
    print(f"{archive}: {share:.1%} agree of {counts['same'] + counts['different']} with a vote; {dict(counts)}")  # noqa: T201 shown by -rP
    assert share >= at_least


def test_a_document_cut_anywhere_is_read_or_refused_and_known_to_be_incomplete(sandbox: Sandbox) -> None:
    body = (Path(__file__).parent / "data" / "feeds" / "rss20.xml").read_bytes()
    for end in range(0, body.index(b"</rss>"), 97):
        parsed = read(body[:end], TRUSTED, sandbox)
        assert parsed is None or not parsed.is_complete, end


SNIPPETS = st.sampled_from(
    [
        "<?xml version='1.0' encoding='utf-8'?>", "<?xml version='1.0' encoding='utf-16'?>",
        "<!DOCTYPE html>", "<rss version='2.0'>", "<channel>",
        "<item>", "</item>", "<title>", "</title>", "<link>", "</link>", "<![CDATA[", "]]>", "&nbsp;",
        "&#xD800;", "&", "<!--", "-->", "</rss>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>", "</entry>", "</feed>", "<pubDate>", "</pubDate>", "99 Foo 20266 25:61 QST",
        '{"version": "https://jsonfeed.org/version/1", "items": [', '{"id": 1, "title": "\\ud800"}', "]}", "null,", "[", "\x00", "\ufeff",
        "<guid>", "</guid>", "<content type='xhtml'>", "</content>", "http://[", "xml:base='//'", "<rdf:RDF>",
    ]
)  # fmt: skip


BODIES = st.one_of(
    st.binary(max_size=120),
    st.lists(SNIPPETS | st.text(max_size=8), max_size=25).map(lambda parts: "".join(parts).encode("utf-8", "replace")),
)
CONTENT_TYPES = st.sampled_from(
    ["", "text/xml", "application/xml; charset=utf-16", "text/html; charset=punycode", "application/rss+xml; charset=hex", ";charset="]
)


@settings(deadline=None, max_examples=120)
@given(BODIES, CONTENT_TYPES, st.sampled_from([DISTRUSTED, 0, TRUSTED]))
def test_any_bytes_are_a_feed_or_a_clear_error(sandbox: Sandbox, body: bytes, content_type: str, votes: int) -> None:
    parsed = read(body, votes, sandbox, content_type)
    for item in parsed.items if parsed else ():
        assert item.title
        (item.title + item.text + item.guid + item.url + item.author).encode("utf-8")


def page(name: str, selectors: Selectors) -> tuple[Item, ...]:
    """The lines of a real page under ../shared/data/tickers/pages."""
    path = SHARED / "tickers" / "pages" / f"{name}.html.gz"
    if not path.is_file():
        pytest.skip(f"../shared/data/tickers/pages/{path.name} is not here")
    source = a_source("page", kind=SourceKind.TICKER, selectors=selectors)
    body = gzip.decompress(path.read_bytes())
    return parse(source, body, content_type="text/html", base_url=f"https://{name}/", votes=0, sandbox=Sandbox()).items


@pytest.mark.parametrize(
    ("name", "selectors", "lines"),
    [
        ("jpost.com", Selectors(item="div.g-row-breaking-news h1.article-title", canary="div.breaking-news-title"), 1),
        ("fr.de", Selectors(item="[data-testid=ecr-ticker-teaser]", link="a@href", canary="#ecr-ticker"), 6),
        ("lapresse.tn", Selectors(item="ul.webticker li", text="a", link="a", canary="#bdaia-breaking-news"), 10),
        ("stern.de", Selectors(item=".group-teaserlist--newsticker article", text="h3", link="a", time="time", canary="header"), 10),
        ("timeslive.co.za", Selectors(item="a.marquee-link", link="@href", canary=".tl-marquee-home"), 5),
        ("eldiario.es", Selectors(item="p.title a", link="@href", canary=".recirculation-item__txt"), 29),
        ("ntv.com.tr_empty_shell", Selectors(item=".breaking-news li", canary="html"), 0),
    ],
)
def test_real_ticker_pages_give_their_lines(name: str, selectors: Selectors, lines: int) -> None:
    items = page(name, selectors)
    assert lines == len(items)
    assert all(5 < len(item.title) < 300 for item in items)
    assert all(item.url.startswith("https://") for item in items if selectors.link)
    assert all(item.published_at for item in items if selectors.time)


def test_a_page_that_lost_its_ticker_is_told_by_its_canary() -> None:
    with pytest.raises(ParseError, match="page no longer parses"):
        page("ntv.com.tr_empty_shell", Selectors(item=".breaking-news li", canary=".breaking-news"))
