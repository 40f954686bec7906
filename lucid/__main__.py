"""`python -m lucid`: the `lucid` command, for where it is not on the PATH."""

from __future__ import annotations

import sys

from lucid.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
