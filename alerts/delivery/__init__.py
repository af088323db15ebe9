"""From an alert to a receipt: decide, render, send.

    policy.decide -> render.render -> notify.ThreadNotifier -> webhook | console | Apprise -> Receipt

`schemes` says which channel URLs are taken at all, `secrets` keeps them, `ledger` remembers what was told.
"""
