"""The data's whole way, and the only place where its stages are joined.

    poll     claim due sources -> fetch -> parse -> diff -> commit            (items)
    sift     hold the lease -> read items -> tag -> story -> match -> commit  (bells)
    deliver  expand bells -> claim lanes -> decide -> render -> send -> record

Each runs until there is nothing to do, at most `TURN_S` seconds, writes its own progress, and wakes whoever comes next.
What is to be done stands in the store; being killed anywhere loses nothing and repeats at most what was being sent.
"""

from alerts.pipeline.canary import CANARY, end_canary, start_canary
from alerts.pipeline.deliver import deliver, finish
from alerts.pipeline.poll import poll, poll_sources
from alerts.pipeline.sift import sift
from alerts.pipeline.sifter import Sifter
from alerts.pipeline.tools import TURN_S, Tools
from alerts.pipeline.upkeep import sweep, warn

__all__ = [
    "CANARY",
    "TURN_S",
    "Sifter",
    "Tools",
    "deliver",
    "end_canary",
    "finish",
    "poll",
    "poll_sources",
    "sift",
    "start_canary",
    "sweep",
    "warn",
]
