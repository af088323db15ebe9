"""`python -m tests.standins KIND`: one stand-in on a free port of loopback."""

import sys

from tests.standins.host import main

main(sys.argv[1])
