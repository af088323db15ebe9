"""From an alert to a receipt: decide, render, send.

    policy.decide -> render.render -> the notifier -> telegram | ntfy | discord | mastodon | webhook | mail | console | Apprise -> Receipt

`schemes` says which channel URLs are taken at all, `secrets` keeps them, `dispatch` knows whose they are; `wording` and
`template` have the words, `codes` the reasons of failures; `ledger` remembers what was told.
"""
