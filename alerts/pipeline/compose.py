"""From claimed deliveries to envelopes: the words, the message an update replaces, and the way to end a channel.

A message's reference is kept when its receipt comes, and looked up when the story has an update. Which words of the item a
rule asked for is found out once for each query and item; a bell that thousands of different queries ring names the rules alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from alerts.delivery.memo import Memo
from alerts.delivery.render import render
from alerts.delivery.services import can_update, service_of
from alerts.delivery.unsubscribe import unsubscribe_url
from alerts.errors import QueryError
from alerts.models import Alert, Channel, Envelope, Receipt, ReceiptStatus, Tagged
from alerts.pipeline.tools import Tools
from alerts.ports import Parcel, StoryPlace
from alerts.rules.document import Document
from alerts.rules.explain import matched_words

_MOST_QUERIES = 50  # explained for one bell; each takes half a millisecond


def compose(
    tools: Tools,
    channel: Channel,
    url: str,
    parcels: Sequence[Parcel],
    zones: Mapping[str, str] | None = None,
    *,
    memo: Memo | None = None,
) -> list[Envelope]:
    """The envelopes of deliveries to one channel, in their order.

    Args:
        url: The channel's, in the clear.
        zones: subscriber id -> IANA name; UTC for all others.
        memo: Of the batch, when there are more channels.
    """
    memo = memo or Memo()
    replaced = _replaced(tools, url, parcels)
    public_url = tools.settings.web.public_url if service_of(url) == "mailto" else ""
    unsubscribe = unsubscribe_url(public_url, tools.keys, channel.channel_id) if public_url else ""
    envelopes = []
    for parcel in parcels:
        delivery = parcel.delivery
        rendered = render(
            parcel.bells,
            parcel.alert,
            delivery,
            rule_names=parcel.rule_names,
            url=url,
            matched=_matched(parcel, memo),
            zone=(zones or {}).get(delivery.subscriber_id, "UTC"),
            template=channel.template,
            memo=memo,
        )
        envelopes.append(
            Envelope(
                delivery_id=delivery.delivery_id,
                channel_id=delivery.channel_id,
                url=url,
                title=rendered.title,
                body=rendered.body,
                link=rendered.link,
                urgency=min(bell.tagged.urgency for bell in parcel.bells),
                is_repeat=delivery.is_repeat,
                payload=rendered.payload,
                replaces=replaced.get(_place(parcel), ""),
                is_silent=is_update(parcel.alert),
                unsubscribe_url=unsubscribe,
            )
        )
    return envelopes


def keep_references(tools: Tools, sent: Iterable[tuple[Parcel, Receipt]]) -> None:
    """Remember what accepted messages are called by their service. Raises: StateError."""
    found = {_place(parcel): r.message_ref for parcel, r in sent if r.status is ReceiptStatus.ACCEPTED and r.message_ref}
    if found:
        tools.state.keep_references(found)


def is_update(alert: Alert) -> bool:
    """Whether the alert only changes what was told, without ringing."""
    return alert.occasion.startswith("update:")


def _replaced(tools: Tools, url: str, parcels: Sequence[Parcel]) -> dict[StoryPlace, str]:
    """The messages that updates among the parcels take the place of."""
    places = [_place(parcel) for parcel in parcels if is_update(parcel.alert)] if can_update(url) else []
    return tools.state.references(places) if places else {}


def _place(parcel: Parcel) -> StoryPlace:
    return StoryPlace(parcel.alert.subscriber_id, parcel.alert.story_id, parcel.delivery.channel_id)


def _matched(parcel: Parcel, memo: Memo) -> tuple[str, ...]:
    """The words of an alert about one item that its rules asked for, as published."""
    if len(parcel.bells) != 1 or len(parcel.bells[0].query_ids) > _MOST_QUERIES:
        return ()
    bell, queries = parcel.bells[0], parcel.queries
    return memo.of(bell, ("matched", queries), lambda: tuple(word for query in queries for word in _explained(query, bell.tagged)))


@lru_cache(maxsize=4096)
def _explained(query: str, tagged: Tagged) -> tuple[str, ...]:
    try:
        return matched_words(query, Document(tagged))
    except QueryError:  # a list that only the sifter has read
        return ()

