"""`python -m alerts.cli` is the command `tocsin`."""

import sys

from alerts.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
