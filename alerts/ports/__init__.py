"""What the pipeline asks of the outside: the store and the notifier, with their promises.

Every commit is all or nothing, carries the revision (or fence, cursor, owner) it expects, and can be repeated: the
store answers `already` to a request it has carried out, `stale` to one that was overtaken, and writes nothing then.
"""

from typing import Protocol

from alerts.ports.engine import DeliverStore, KeepStore, PollStore, SiftStore
from alerts.ports.notifier import Notifier
from alerts.ports.policy import NO_WISHES, Facts, FirstIds, FirstTold, Place, PolicyStore, Release, Ring, Settlement, Wishes
from alerts.ports.registry import RegistryStore
from alerts.ports.values import (
    Expansion,
    Fanout,
    Lane,
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


class State(PollStore, SiftStore, DeliverStore, PolicyStore, KeepStore, RegistryStore, Protocol):
    """The whole store."""


__all__ = [
    "NO_WISHES",
    "DeliverStore",
    "Expansion",
    "Facts",
    "Fanout",
    "FirstIds",
    "FirstTold",
    "KeepStore",
    "Lane",
    "Notifier",
    "Outcome",
    "Parcel",
    "Place",
    "PolicyStore",
    "PollCommit",
    "PollStore",
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
    "Verdict",
    "Wishes",
]
