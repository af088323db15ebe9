"""regroup: what a person asked to be merged or split, done by the sifter, which alone changes stories.

A merge keeps the id of the story that takes the other in; a split gives the items that leave a story of their own, with the
id that grouping would have given them. Who was told of an item in one story counts as told of it in the other: the new
story names the old one as its kin, and `audience` looks there. A story split off rings once, for the rest.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from alerts.errors import NotFoundError
from alerts.models import Source, Story, Tagged
from alerts.pipeline.ring import Ringing, ring
from alerts.pipeline.sifter import Sifter
from alerts.pipeline.tools import Tools
from alerts.ports import Outcome, RegroupCommit, RegroupRequest, SifterLease
from alerts.rules.match import Document
from alerts.stories.regroup import merged, rebuilt, split_id

_log = structlog.get_logger("sift")


def regroup(tools: Tools, sifter: Sifter, lease: SifterLease) -> int:
    """Do what people asked, oldest first; how many requests were done. What cannot be done is refused in the log."""
    done = 0
    while (request := tools.state.asked_regroup()) is not None:
        try:
            commit = _merge(sifter, lease, request) if request.verb == "merge" else _split(tools, sifter, lease, request)
        except NotFoundError as error:
            _log.warning("regroup refused", verb=request.verb, story_id=request.story_id, error=str(error))
            commit = RegroupCommit(raw=request.raw, fence=lease.fence)
        sifter.doubt()
        outcome = tools.state.commit_regroup(commit)
        if outcome is Outcome.STALE:
            return done
        sifter.trust(lease)
        for story in commit.stories:
            sifter.stories.apply(story)
        if commit.bells:
            tools.wake_up("deliver")
        done += bool(commit.stories)
    return done


def _merge(sifter: Sifter, lease: SifterLease, request: RegroupRequest) -> RegroupCommit:
    story, other = _live(sifter, request.story_id), _live(sifter, request.other_id)
    both = merged(story, other)
    return RegroupCommit(raw=request.raw, fence=lease.fence, stories=(both, replace(other, merged_into=story.story_id)))


def _split(tools: Tools, sifter: Sifter, lease: SifterLease, request: RegroupRequest) -> RegroupCommit:
    """The story without the items, and a story of them that rings for whoever was not told of them."""
    story = _live(sifter, request.story_id)
    leaving, staying = _parted(tools, story, request.item_ids)
    new_id = split_id(leaving)
    held = tools.state.story(new_id)
    rest = replace(rebuilt(story, staying), kin_ids=_with(story.kin_ids, new_id))
    part = rebuilt(replace(held or _blank(story), story_id=new_id, records=story.records), leaving)
    part = replace(part, merged_into="", has_news=story.has_news, kin_ids=_with(part.kin_ids, story.story_id))
    ringing = Ringing(
        tagged=leaving[0],
        source=_source(tools, sifter, leaving[0]),
        before=None,
        story=part,
        matched=tuple(sorted({q for tagged in leaving for q in sifter.rules.match(Document.of(tagged, part))})),
        refusal="" if story.has_news else "it was there before we watched",
        rules_version=sifter.rules_version,
    )
    part, bells = ring(ringing, gap_s=0.0)
    return RegroupCommit(raw=request.raw, fence=lease.fence, stories=(rest, part), bells=bells)


def _parted(tools: Tools, story: Story, item_ids: tuple[str, ...]) -> tuple[list[Tagged], list[Tagged]]:
    """The items that leave and those that stay, oldest first. Raises: NotFoundError."""
    found = {item_id: tools.state.archived_item(item_id) for item_id in (*story.item_ids, *item_ids)}
    items = {item_id: row[0] for item_id, row in found.items() if row is not None}
    wanted = [item_id for item_id in story.item_ids if item_id in item_ids]
    leaving = [items[item_id] for item_id in wanted if item_id in items]
    staying = [items[item_id] for item_id in story.item_ids if item_id in items and item_id not in item_ids]
    if len(leaving) < len(set(item_ids)):
        raise NotFoundError(f"story {story.story_id} does not hold all of these items, or they are no longer in the archive")
    if leaving and split_id(leaving) == story.story_id:
        raise NotFoundError(f"story {story.story_id} began with {leaving[0].change.item_id}: split off the other items instead")
    if not staying:
        raise NotFoundError(f"story {story.story_id} would be left without items: split off fewer")
    return leaving, staying


def _live(sifter: Sifter, story_id: str) -> Story:
    story = sifter.stories.get(story_id)
    if story is None:
        raise NotFoundError(f"no live story {story_id}; `tocsin stories list` names them")
    return story


def _source(tools: Tools, sifter: Sifter, tagged: Tagged) -> Source:
    return sifter.source_of(tools, tagged.change.item.source_id)


def _blank(story: Story) -> Story:
    """A story that nobody was told of yet, as a place for the items that leave."""
    return Story(story_id="", headline="", first_at=story.first_at, last_at=story.last_at)


def _with(known: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, one)))[-20:]


