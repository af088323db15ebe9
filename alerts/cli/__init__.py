"""The command `tocsin`: parses input, calls the service, shows the result; nothing is decided here.

Exit codes: 0 done, 1 it did not work (store away, test failed), 2 the input was wrong. Errors are one message on stderr.
What costs time to import is imported when a command needs it, so that `tocsin --help` answers at once.
"""

from alerts.cli.main import app, main

__all__ = ["app", "main"]
