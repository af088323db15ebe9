"""Random queries and items against the grammar and a plain loop, for as long as asked; prints how many were tried.

    ./run.sh bench bench/rules_fuzz.py                        # half a minute
    .venv/bin/python bench/rules_fuzz.py --minutes 10 --seed 1

Three things are tried in turn: any text parses or gives a query error within it; the reader and the grammar agree; the index
names the queries that a plain loop names, and a glance at the archived item answers as the item itself does.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alerts.errors import QueryError
from alerts.models import Change, ChangeKind, Item, Tagged
from alerts.regions.areas import AreaIndex
from alerts.rules.glance import Glance, cheapest_first
from alerts.rules.grammar import QUOTES, by_grammar, parse
from alerts.rules.index import RuleIndex
from alerts.rules.lists import Lists, parsed
from alerts.rules.looks import Looks
from alerts.rules.match import Document, answer_of, evaluate
from alerts.rules.nodes import Leaf, leaves
from alerts.rules.query import normal_form
from alerts.rules.reader import read
from alerts.state.codec import TAGGED

ROOT = Path(__file__).parent.parent
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SIGNS = (
    *'ab" ()*-:=~@#/\\|&!.,<>^\n\t1“”ü東北غ״', "AND", "OR", "NOT", "and", "region:", "title:", "near:", "age:",
)  # fmt: skip
_WORDS = (
    "fire storm strike strikes striking Müller mueller muller straße STRASSE İstanbul ıspanak U.S. us F-16 3,000 3000 al-Assad "
    "assad 東京 京港 東 ミサイル ﾐｻｲﾙ กรุงเทพ กรุง 북한이 북한 한 غارة غاره لُبنان لبنان ہوائی ھوائي کابل كابل צה\"ל צהל ёлка елка "
    "København kobenhavn ﬁle file Ærø aero Aarhus Århus can't l'eau ﷺ 😀 - . x1 ２０２６"
).split()
_FIELDS = ("title", "text", "source", "topic", "tag", "author", "url")
_FACTS = (
    "region:LB", "region:Levant", 'region:"Middle East"', "lang:en", "lang:de", "urgency:<=2", "urgency:4-5", "sources:>=2", "sources:1",
    "age:<1h", "age:>1h", "story:new", "story:update", "@quake", "@airstrike", "*", "/str[aeiou]/", "/\\bstrike\\b/", "title:/^f/",
)  # fmt: skip


def main() -> None:
    arguments = _arguments()
    rng = random.Random(arguments.seed)
    tried: Counter[str] = Counter()
    areas, lists = AreaIndex.load(ROOT / "config" / "regions.toml"), Lists.load(ROOT / "config" / "lists.toml")
    ends = time.monotonic() + arguments.minutes * 60
    while time.monotonic() < ends:
        for _ in range(200):
            noise = _noise(rng)
            tried["texts that were no query" if _parses(noise) is None else "queries that parsed"] += 1
            for text in (noise, _plain(rng), _query(rng, 3)):
                _agrees(text)
                tried["texts read both ways"] += 1
        queries = [(_query(rng, 3), rng.random() < 0.3) for _ in range(20)]
        documents = [_document(rng) for _ in range(10)]
        tried["pairs of query and item"] += _compare(queries, documents, areas, lists)
    for what, count in sorted(tried.items()):
        print(f"{what}: {count:,}")
    print(f"inputs tried: {sum(tried.values()):,}; nothing differed (seed {arguments.seed})")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


# ---------------------------------------------------------------- what is tried


def _noise(rng: random.Random) -> str:
    """Signs, words and any characters in any order."""
    pieces = [rng.choice((rng.choice(_SIGNS), rng.choice(_WORDS), chr(rng.randrange(1, 0x11000)))) for _ in range(rng.randrange(1, 25))]
    return "".join(pieces)


def _plain(rng: random.Random) -> str:
    """Words, phrases, signs and countries, right and wrong."""
    pieces = ("fire", "Storm", "OR", "AND", "NOT", "or", "-x1", '"air strike"', "region:LB", "region:Lb", "3000", "-region:US", "a")
    return " ".join(rng.choices(pieces, k=rng.randrange(1, 6)))


def _word(rng: random.Random) -> str:
    word = rng.choice(_WORDS).replace('"', "")
    pair = f"{word} {rng.choice(_WORDS)}".replace('"', "")
    return rng.choice((word, f'"{word}"', f'"{pair}"', f"{word}*", f"~{word}", f"={word}", f'="{word}"'))


def _operand(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(_FACTS)
    if kind < 0.4:
        return f"{rng.choice(_FIELDS)}:{_word(rng)}"
    if kind < 0.5:
        return '"' + " ".join(w.replace('"', "") for w in rng.choices(_WORDS, k=rng.randrange(2, 4))) + f'"~{rng.randrange(4)}'
    return _word(rng)


def _query(rng: random.Random, depth: int) -> str:
    """A query of any form; some of them are refused, and left out."""
    if depth == 0 or rng.random() < 0.4:
        return _operand(rng)
    if rng.random() < 0.2:
        return f"(NOT {_query(rng, depth - 1)})"
    joint = rng.choice((" ", " OR "))
    return "(" + joint.join(_query(rng, depth - 1) for _ in range(rng.randrange(2, 4))) + ")"


def _document(rng: random.Random) -> Document:
    item = Item(
        source_id=rng.choice(("harbour", "harbour-north", "müller")),
        title=" ".join(rng.choices(_WORDS, k=rng.randrange(6))),
        text=rng.choice((" ", "", "-")).join(rng.choices(_WORDS, k=rng.randrange(12))),
        url=rng.choice(("", "https://harbour.example/fire/1")),
        author=rng.choice(("", "Ada Müller")),
        topics=tuple(rng.choices(_WORDS, k=rng.randrange(3))),
        published_at=rng.choice((None, _NOW, datetime(2025, 12, 31, 20, tzinfo=UTC))),
    )
    change = Change(kind=ChangeKind.NEW, item_id="1", item=item, polled_at=_NOW, found_at=_NOW)
    return Document.of(
        Tagged(
            change=change,
            language=rng.choice((None, "en", "de", "ar", "ja")),
            urgency=rng.randrange(1, 6),
            countries=rng.choice(((), ("LB",), ("FR", "SY"), ("US",))),
            tags=rng.choice(((), ("fire",), ("storm", "world"))),
        )
    )


# ---------------------------------------------------------------- what must hold


def _parses(text: str) -> str | None:
    """The normal form, which is its own normal form; None when it is no query."""
    form, column = "", 1
    try:
        form = normal_form(text)
    except QueryError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1, ascii(text)
    if not form:
        return None
    assert normal_form(form) == form, ascii((text, form, normal_form(form)))
    return form


def _agrees(text: str) -> None:
    """The reader and the grammar say the same, down to the columns; where one of them has none, neither has."""
    text = text.translate(QUOTES)
    try:
        expected = by_grammar(text)
    except QueryError:
        expected = None
    found = read(text)
    assert found == expected, ascii(text)
    assert list(map(_place, leaves(found))) == list(map(_place, leaves(expected))) if found and expected else True, ascii(text)


def _place(leaf: Leaf) -> tuple[str, int]:
    return leaf.text, leaf.column


def _compare(queries: Sequence[tuple[str, bool]], documents: Sequence[Document], areas: AreaIndex, lists: Lists) -> int:
    """How many pairs of query and item were compared."""
    index = RuleIndex(areas, lists)
    good = []
    for number, (query, is_unknown_in) in enumerate(queries):
        try:
            parse(query)
        except QueryError:
            continue
        index.put(str(number), query, is_unknown_in)
        good.append((str(number), query, is_unknown_in))
    ready = [cheapest_first(parsed(query, lists)) for _, query, _ in good]
    looks = [Looks(query, areas) for query in ready]
    for document in documents:
        expected = {n for n, q, unknown in good if evaluate(q, document, areas, unknown, lists) is True}
        assert expected == set(index.match(document)) == set(index.match_story(document).query_ids), (queries, document)
        archived = TAGGED.dump(document.tagged)
        for (number, text, unknown), query, look in zip(good, ready, looks, strict=True):
            seen = answer_of(query, Glance(archived, look), areas, unknown) is True
            assert seen is (number in expected), ascii((text, document))
            assert not seen or look.may_match(archived), ascii((text, document))
    return len(good) * len(documents)


if __name__ == "__main__":
    main()
