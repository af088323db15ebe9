"""What the pipeline asks of the outside: the store and the notifier, with their promises.

Every commit is all or nothing, carries the revision (or fence, cursor, owner) it expects, and can be repeated: the
store answers `already` to a request it has carried out, `stale` to one that was overtaken, and writes nothing then.
"""

from typing import Protocol

from alerts.ports.engine import DeliverStore, KeepStore, PollStore, SiftStore
from alerts.ports.notifier import Load, Notifier, Places, Progress
from alerts.ports.policy import NO_WISHES, Facts, FirstIds, FirstTold, Place, PolicyStore, Release, Ring, Settlement, Wishes
from alerts.ports.registry import RegistryStore
from alerts.ports.told import StoryPlace, ToldStore
from alerts.ports.values import (
    Breaker,
    Bucket,
    Canary,
    ChannelBook,
    DueLane,
    Expansion,
    Fanout,
    Lane,
    LaneAsk,
    LaneEnd,
    Outcome,
    Parcel,
    PollCommit,
    QueuedItem,
    RegroupCommit,
    RegroupRequest,
    SiftCommit,
    SifterLease,
    Verdict,
)


class State(PollStore, SiftStore, DeliverStore, PolicyStore, ToldStore, KeepStore, RegistryStore, Protocol):
    """The whole store."""


__all__ = [
    "NO_WISHES",
    "Breaker",
    "Bucket",
    "Canary",
    "ChannelBook",
    "DeliverStore",
    "DueLane",
    "Expansion",
    "Facts",
    "Fanout",
    "FirstIds",
    "FirstTold",
    "KeepStore",
    "Lane",
    "LaneAsk",
    "LaneEnd",
    "Load",
    "Notifier",
    "Outcome",
    "Parcel",
    "Place",
    "Places",
    "PolicyStore",
    "PollCommit",
    "PollStore",
    "Progress",
    "QueuedItem",
    "RegistryStore",
    "RegroupCommit",
    "RegroupRequest",
    "Release",
    "Ring",
    "Settlement",
    "SiftCommit",
    "SiftStore",
    "SifterLease",
    "State",
    "StoryPlace",
    "ToldStore",
    "Verdict",
    "Wishes",
]
