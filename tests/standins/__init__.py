"""Services as tests and benchmarks meet them: each answers, limits, refuses and forgets as the real one does.

A stand-in turns a request into an answer (`answer`), keeps what it took, and counts what a well-behaved sender would not
do (`violations`). `tests.servers_http.serving` puts one on loopback within a test; `python -m tests.standins KIND` runs one as
a process of its own, for benchmarks (`tests.standins.host`).
"""
