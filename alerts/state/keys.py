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
    archive            STREAM  j = Tagged as JSON, s = story id, w = stage; MAXLEN, and MINID by age
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
    delivery:<id>      HASH    json (what never changes), status, attempts, reason, due, repeat, replay, owner, queued, sent,
                               tried (the last attempts, one a line), policy, paused (seconds),
                               digest (which it waits for), carried (delivery id that tells it along)
    deliveries         ZSET    delivery id -> Unix seconds of its creation
    delivered:<alert>  SET     delivery ids of an alert
    told:<subscriber>:<story> HASH channel id -> reference of the message that told it there (expires)
    lane:<channel>     ZSET    delivery ids not yet done, in their order -> Unix seconds due, 10,000,000,000 less when urgent
    lanes              ZSET    channel ids nobody serves now -> when they may be claimed
    lanes:urgent       ZSET    the same of those whose first delivery is urgent
    lanes:owner        HASH    channel id -> owner who serves it now
    lanes:until        ZSET    channel id -> Unix seconds its lease ends
    lanes:rest         ZSET    channel id -> Unix seconds until which it is left alone after a failure
    lanes:waiting      SET     channel ids that were told to wait for their turn by a rate limit
    bucket:<name>      HASH    tokens, at (as of), tail (Unix seconds of the last turn given out), rest (nothing before then)
    limited:<bucket>   ZSET    channel ids that the service asked to wait -> until when
    breakers           HASH    channel id -> Breaker as JSON, of channels that fail
    canary             HASH    json (Canary as it was when planted), seen, alarmed
    digest:<digest>    ZSET    delivery ids held for it -> Unix seconds; named <subscriber>:<channel>:<kind>
    digests            ZSET    open digest -> Unix seconds it is told
    rings:<subscriber>:<channel>  ZSET  "<urgency>:<delivery id>" -> Unix seconds; of the last day, the latest 2,000
    leases:<owner>     SET     source:<id>, lane:<id>
    owners             HASH    owner -> "<queue> <Unix seconds of its last progress>"
    wake:<queue>       STRING  a wake-up is on its way (expires)
    turn:<name>        STRING  somebody did this a moment ago (expires)
    channels           HASH    channel id -> Channel as JSON, URL sealed
    channels:version   STRING  another one after every change of a channel
    subscribers        HASH    subscriber id -> Subscriber as JSON
    mutes:<subscriber> HASH    mute id -> Mute as JSON
    wishes:version     STRING  another value after any change of subscribers or mutes
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
