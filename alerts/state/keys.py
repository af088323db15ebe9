"""Every key pattern of the store. All names begin with the prefix, `tocsin:` unless a test chooses another.

    sources            HASH    source id -> Source as JSON
    due                ZSET    source id -> Unix seconds it is due (while leased: when the lease ends)
    paused             SET     source ids that are not polled
    lease:source       HASH    source id -> owner who polls it now
    poll:<source>      HASH    rev, req (last request id), json (PollState)
    seen:<source>      HASH    chunk number -> up to 64 packed marks
    items              STREAM  c = Change as JSON; group `sift`, consumer `sifter` whoever holds the lease
    items:claims       HASH    entry id -> how often it was taken again
    items:dead         HASH    entry id -> JSON {item_id, reason, change}
    sifter             HASH    owner, fence, until (Unix ms)
    story:<id>         HASH    rev, json (Story)
    stories            ZSET    story id -> Unix seconds of its last item
    stories:asked      LIST    what people asked to be merged or split, as JSON (RegroupRequest), oldest first
    archive            STREAM  j = Tagged as JSON, s = story id, w = stage; MAXLEN
    archive:ids        HASH    item id -> entry id in the archive
    rules              HASH    rule id -> JSON {rule, query_id}
    rules:version      STRING  grows with every change
    rules:log          ZSET    rule id -> version of its last change (removal too)
    cooling:<rule>     STRING  id of the bell it rang last (expires with its cooldown)
    query:<id>         ZSET    rule ids with this query, all score 0, in lexical order
    bell:<id>          HASH    json (Bell), cursor; kept for the ledger's time
    fanouts            ZSET    bell ids not yet expanded -> Unix seconds
    alert:<id>         HASH    json (Alert), rule:<rule id> = 1
    alerts:<subscriber> ZSET   alert id -> Unix seconds
    delivery:<id>      HASH    json (what never changes), status, attempts, reason, due, repeat, replay, owner, sent
    deliveries         ZSET    delivery id -> Unix seconds of its creation
    delivered:<alert>  SET     delivery ids of an alert
    lane:<channel>     ZSET    delivery ids not yet done -> Unix seconds due
    lanes              ZSET    channel ids nobody serves now -> when their first delivery is due
    lanes:owner        HASH    channel id -> owner who serves it now
    lanes:until        ZSET    channel id -> Unix seconds its lease ends
    lanes:rest         ZSET    channel id -> Unix seconds until which it is left alone after a failure
    digest:<subscriber>:<channel>  ZSET  delivery ids held for the next digest -> Unix seconds
    digests            ZSET    "<subscriber>:<channel>" -> Unix seconds of its first member
    leases:<owner>     SET     source:<id>, lane:<id>
    owners             HASH    owner -> "<queue> <Unix seconds of its last progress>"
    wake:<queue>       STRING  a wake-up is on its way (expires)
    turn:<name>        STRING  somebody did this a moment ago (expires)
    channels           HASH    channel id -> Channel as JSON, URL sealed
    subscribers        HASH    subscriber id -> Subscriber as JSON
    applied            HASH    configuration file -> fingerprint it had when it was applied
    counters           HASH    name -> how often, for /metrics
    schema             STRING  version of all this
    tick               STRING  Unix seconds of the last poll tick, to know a downtime of ours
    downtime           STRING  Unix seconds our last downtime ended
"""

from __future__ import annotations

PREFIX = "tocsin:"
SCHEMA = 1
SIFT_GROUP = "sift"
SIFTER = "sifter"
CHUNK = 64  # marks in one field of seen:<source>


class Keys:
    """The key names under one prefix."""

    def __init__(self, prefix: str = PREFIX) -> None:
        self.prefix = prefix

    def __call__(self, name: str, *parts: str) -> str:
        """The key of that name, e.g. keys("poll", source_id)."""
        return self.prefix + ":".join((name, *parts))
