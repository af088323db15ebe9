"""What the pipeline asks of the outside: the store and the notifier, with their promises.

Every commit is all or nothing, carries the revision (or fence, cursor, owner) it expects, and can be repeated: the
store answers `already` to a request it has carried out, `stale` to one that was overtaken, and writes nothing then.
"""

from typing import Protocol

from alerts.ports.engine import DeliverStore, KeepStore, PollStore, SiftStore
from alerts.ports.notifier import Notifier
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


class State(PollStore, SiftStore, DeliverStore, KeepStore, RegistryStore, Protocol):
    """The whole store."""


__all__ = [
    "DeliverStore",
    "Expansion",
    "Fanout",
    "KeepStore",
    "Lane",
    "Notifier",
    "Outcome",
    "Parcel",
    "PollCommit",
    "PollStore",
    "QueuedItem",
    "RegistryStore",
    "RegroupCommit",
    "RegroupRequest",
    "SiftCommit",
    "SiftStore",
    "SifterLease",
    "State",
    "Verdict",
]
