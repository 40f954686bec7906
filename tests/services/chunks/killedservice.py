"""The data chain's own process, which kills itself before a step of what it does after SIGUSR1: its number is the first
argument. What it counts is in `killing`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lucid.services.data import DataService
from lucid.services.process.running import main
from tests.services.chunks.killing import Steps

if __name__ == "__main__":
    steps, begun = Steps(int(sys.argv.pop(1)), 1), Path(os.environ["LUCID_DATA_DIR"]) / "begun"

    def begin(*_: object) -> None:
        """From now on steps are counted."""
        begun.touch()
        steps.begin()

    signal.signal(signal.SIGUSR1, begin)
    main(DataService)
