"""Where an item comes from: the agency that signed it, else the owner of its source, else the source itself.

The same agency copy on many sites is one origin, and so are two papers of one house and texts that are the same words.
An agency counts where copy is signed: in the byline, in a dateline or brackets, after "Source:", "with material from",
"told", "according to". The mere name counts nothing: "Reuters journalist hurt" may be anybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from alerts.models import Item, Source
from alerts.stories.copies import Imprint, imprint_of, is_copy
from alerts.stories.owners import NO_OWNERS, Owners, domains_of, host_of
from alerts.stories.reading import LEDE, Hit, Passage, nearest, passage_of, table
from alerts.text.tokens import is_run

_UNNAMED = "agencies.unnamed"
_TAIL = 80  # characters at the end of a text where a signature may stand
_HEAD = 110  # characters at its beginning where a dateline may stand
_OPENS = re.compile(r"(?:[\[(（【〔]|(?:^|\s)/|[\[(（【=][^\])）】]{0,40}[,/=、\s])\s*$")
_CLOSES = re.compile(r"\s*(?:[\])）】〕]|/(?:\s|$))|\s+(?:Photo|Foto)\b")
_DATELINE = re.compile(r"\s*(?:[-–—―:：]|\.\s?[-–—]|电|電|讯|訊)(?!\w)|\s*(?:电|電|讯|訊)")
_PARTED = re.compile(r"(?<!\b[A-ZА-ЯЇІЄҐ])\.\s+$")  # "Київ. 28 вересня. УНІАН. ..."
_DASHED = re.compile(r"[-–—―/|]\s*$")
_SOURCE = re.compile(
    r"(?:\b(?:sources?|quellen?|fuentes?|fontes?|fonti|bron|źródł[oa]|kaynak|sumber|told|telling|according to|reports|reported by|"
    r"inputs from|laut|mit material von|nach angaben von|meldet|selon(?: l['’])?|d['’]après(?: l['’])?|"
    r"según|con información de|con datos de|segundo(?: a)?|com informações da|secondo(?: l['’])?|"
    r"riferisce(?: l['’])?|volgens|podaje|według|dikutip dari|menurut|dilansir(?: dari)?|как сообщает|сообщает|передает|пишет|"
    r"по данным|источник|со ссылкой на|повідомляє|передає|пише|за даними|джерело|з посиланням на|"
    r"[ву] коментарі|в комментарии)"
    r"|المصدر|نقلا عن(?: وكالة)?|نقلت(?: وكالة)?|عن وكالة|وكالة|وفق|بحسب|لوكالة|ذكرت|منبع|به گزارش(?: خبرگزاری)?|خبرگزاری|به نقل از"
    r"|לסוכנות|לפי|מקור|स्रोत|সূত্র|来源|來源|据|據|出典|出处|출처)\s*[:：]?\s*(?:[\w-]+\s?[,،/]\s*)?"
    r"(?:(?:the|die|der|den|la agencia|the news agency|agency|agence|news agency)\s+)?$",
    re.I,
)
_WITH = re.compile(r"(?:\b(?:with|via|by|mit|avec(?: l['’])?|à(?: l['’])?|par(?: l['’])?|con|com(?: a)?|met|za|ile))\s+$", re.I)  # weaker
_SAYS = re.compile(
    r"\s*(?:reports|reported|says|said|news agency|meldet|berichtet|rapporte|informa|informó|riferisce|meldt|podaje|bildirdi|haber ajansı|"
    r"melaporkan|сообщает|сообщил|передает|повідомляє|के मुताबिक|के अनुसार|জানায়|জানিয়েছে|"
    r"(?:এ )?(?:খবর|তথ্য) জান|报道|采访|採訪|報道|によると|が報じた|に따르면|에 따르면|통신)",
    re.I,
)
_WORD = re.compile(r"[^\W\d_]+")
_NAMED = 5  # letters: a shorter name in Latin capitals stands for other things as well


class Origin(NamedTuple):
    """One independent origin of a story: who, its first item, and what was folded into it and why."""

    origin: str
    item_id: str
    folded: tuple[tuple[str, str], ...]  # (item id, why)


class OriginRecord(NamedTuple):
    """What a story keeps of one of its items to tell its origins."""

    item_id: str
    source_id: str
    origin: str  # "agency:afp" | "owner:bbc" | "source:harbour-north"
    imprint: Imprint


def origin_of(item: Item, source: Source, owners: Owners = NO_OWNERS, *, language: str | None = None) -> str:
    """Who an item comes from: "agency:ID", "owner:GROUP" or "source:ID".

    Args:
        owners: Which sources belong together.
        language: Of the item, as it was tagged; it only saves cutting the text again.
    """
    agency = _own_agency(source) or _signed(item, language)
    if agency:
        return f"agency:{agency}"
    group = owners.of(source)
    return f"owner:{group}" if group else f"source:{source.source_id}"


def record_of(item_id: str, item: Item, source: Source, owners: Owners = NO_OWNERS, *, language: str | None = None) -> OriginRecord:
    """What to keep of an item, to be given to `origins` with the other items of its story."""
    title, text = _cut(item.title, language), _cut(item.text[:LEDE], language)
    imprint = imprint_of(title.words, text.words)
    return OriginRecord(item_id, source.source_id, origin_of(item, source, owners, language=language), imprint)


def origins(records: Iterable[OriginRecord]) -> tuple[Origin, ...]:
    """The independent origins of a story, in the order they came, with what each stands for.

    Args:
        records: Of the story's items, the oldest first. An origin counts from its first item.
    """
    found: list[tuple[OriginRecord, list[OriginRecord], list[tuple[str, str]]]] = []
    for record in records:
        for _, known, folded in found:
            why = fold_reason(record, known)
            if why:
                known.append(record)
                folded.append((record.item_id, why))
                break
        else:
            found.append((record, [record], []))
    return tuple(Origin(first.origin, first.item_id, tuple(folded)) for first, _, folded in found)


def fold_reason(record: OriginRecord, known: Sequence[OriginRecord]) -> str:
    """Why an item is of the origin that these items are of; empty when it is not."""
    if any(record.origin == other.origin for other in known):
        kind, _, name = record.origin.partition(":")
        return {"agency": f"copy of {name}", "owner": f"of the same owner, {name}"}.get(kind, "the same source")
    twin = next((other for other in known if is_copy(record.imprint, other.imprint)), None)
    return f"the same words as {twin.source_id}" if twin else ""


# ---------------------------------------------------------------- signatures


def _own_agency(source: Source) -> str:
    """The agency whose own feed this is."""
    sites = _sites()
    return next((sites[domain] for domain in domains_of(host_of(source.url)) if domain in sites), "")


def _signed(item: Item, language: str | None) -> str:
    """The agency that signed an item: in its byline, at the beginning or the end of its text; the named one first."""
    found = [*_in_byline(item.author), *_in_text(item.text, language)]
    return next((name for name in found if name != "unnamed"), found[0] if found else "")


def _in_byline(author: str) -> Iterator[str]:
    passage = _cut(author[:200])
    for hit in _agencies(passage):
        if _is_as_written(passage, hit):
            yield hit.sense.removeprefix("agencies.")


def _in_text(text: str, language: str | None) -> Iterator[str]:
    parts = [(_cut(text[:LEDE], language), 0)]
    if len(text) > LEDE:
        parts.append((_cut(text[-_TAIL:]), len(text) - _TAIL))
    for passage, offset in parts:
        for hit in _agencies(passage):
            if _is_signature(passage, hit, offset, len(text)):
                yield hit.sense.removeprefix("agencies.")


def _agencies(passage: Passage) -> Iterator[Hit]:
    return (hit for hit in passage.hits if hit.sense.startswith("agencies."))


def _cut(text: str, language: str | None = None) -> Passage:
    """The text with its terms; names of agencies are the same in all languages, so none is looked for."""
    return passage_of(text, nearest(language) if language else "")


def _is_signature(passage: Passage, hit: Hit, offset: int, length: int) -> bool:
    """Whether a name stands where copy is signed; the passage begins `offset` characters into a text of this length."""
    if not _is_as_written(passage, hit):
        return False
    start, end = passage.tokens[hit.start].start, passage.tokens[hit.end - 1].end
    before, after = passage.text[max(0, start - 45) : start], passage.text[end : end + 24]
    if hit.sense == _UNNAMED:  # an everyday word as well
        return (_OPENS.search(before) is not None and _CLOSES.match(after) is not None) or _SOURCE.search(before) is not None
    is_head, is_last = offset + start < _HEAD, offset + end >= length - 3
    if _is_short_for(passage, hit, before):
        return False
    if _PARTED.search(before) and is_head and after[:2] == ". ":
        return True
    if _OPENS.search(before) and (is_head or _CLOSES.match(after) or after[:1] in ",/"):
        return True
    if is_head and (_DATELINE.match(after) or (is_run(passage.words[hit.start]) and start < 3)):
        return True
    if _DASHED.search(before) and (is_last or (is_head and after[:1] == ".")):
        return True
    if _WITH.search(before) and (is_last or hit.end - hit.start > 1 or end - start > _NAMED):
        return True
    return _SOURCE.search(before) is not None or _SAYS.match(after) is not None


def _is_short_for(passage: Passage, hit: Hit, before: str) -> bool:
    """Whether it stands in brackets behind a name that it is short for ("Aam Aadmi Party (AAP)"), and that is no agency's."""
    name = passage.words_of(hit)
    if not before.endswith("(") or any(other.end == hit.start and other.sense == hit.sense for other in passage.hits):
        return False
    initials = "".join(word[0] for word in _WORD.findall(before)[-len(name) :])
    return name.isupper() and initials.upper() == name


def _is_as_written(passage: Passage, hit: Hit) -> bool:
    """Whether a short name has the capitals of the table: AP, but not "ap" or the "Aa" of a river."""
    written = passage.words_of(hit)
    return not written.isascii() or len(written) > _NAMED or written in _spellings()


@cache
def _sites() -> dict[str, str]:
    return {site: agency for agency, row in table("agencies").items() for site in row["sites"]}


@cache
def _spellings() -> frozenset[str]:
    return frozenset(name.strip() for row in table("agencies").values() for name in row["any"].split("|"))
