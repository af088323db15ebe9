"""`tocsin stories list | show | merge | split`: the live stories, and a person's corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import Json, Limit, open_service

if TYPE_CHECKING:
    from alerts.service.stories import StoryView

StoryId = Annotated[str, typer.Argument(help="A story of `tocsin stories list`.")]


def list_stories(as_json: Json = False, limit: Limit = 50) -> None:
    """Live stories, the one changed last first."""
    with open_service() as service:
        views = service.stories(limit=limit)
    if as_json:
        show.json_lines({"story": v.story, "stage": v.stage} for v in views)
        return
    show.records(map(_record, views), empty="no live stories: nothing new was found in the last 72 h")


def _record(view: StoryView) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    story = view.story
    counts = f"{_many(len(story.item_ids), 'item')} of {_many(len(story.source_ids), 'origin')}"
    told = f"; rang {', '.join(story.rung)}" if story.rung else ""
    heads = (story.last_at, story.story_id, view.stage, f"urgency {story.urgency}", story.countries)
    return heads, (story.headline, counts + told)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def show_story(story_id: StoryId, as_json: Json = False) -> None:
    """One story: what it knows, what of it rang, its items."""
    with open_service() as service:
        view = service.story(story_id)
    if as_json:
        show.json_lines([view])
        return
    story = view.story
    show.fields(
        [
            ("story", story.story_id),
            ("headline", story.headline),
            ("link", story.url),
            ("stage", f"{view.stage.value}, taken in by {story.merged_into}" if story.merged_into else view.stage),
            ("first", story.first_at),
            ("last", story.last_at),
            ("origins", story.source_ids),
            ("countries", [f"{country} ({_many(votes, 'item')})" for country, votes in story.votes] or story.countries),
            ("urgency", f"{story.urgency} {story.urgency_why}".strip()),
            ("numbers", [f"{role} {number}" for role, number in story.tolls]),
            ("phases", [f"{topic}: {phase}" for topic, phase in story.phases]),
            ("rang", story.rung),
            ("kin", story.kin_ids),
            ("revision", story.revision),
        ]
    )
    show.say("")
    folded = {item_id: why for origin in view.origins for item_id, why in origin.folded}
    rows = [
        ((t.change.polled_at, t.change.item_id, t.change.item.source_id), (t.change.item.title, folded.get(t.change.item_id, "")))
        for t in view.items
    ]
    show.records(rows, empty="its items are no longer in the archive")


def merge_stories(story_id: StoryId, other_id: Annotated[str, typer.Argument(help="The story that it takes in.")]) -> None:
    """Make two stories one; nobody told of either is told again."""
    with open_service() as service:
        service.merge_stories(story_id, other_id)
    show.say(f"{story_id} takes in {other_id} as soon as the sifter runs")


def split_story(story_id: StoryId, item_ids: Annotated[list[str], typer.Argument(help="Items of it, from `tocsin stories show`.")]) -> None:
    """Give items of a story a story of their own; it rings for whoever was not told of them."""
    with open_service() as service:
        service.split_story(story_id, tuple(item_ids))
    show.say(f"{_many(len(item_ids), 'item')} will leave {story_id} as soon as the sifter runs")
