"""Commands that a test begins, sends a signal to once they are at work, and lets end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.waiting import wait_until

END_S = 120


class Ended(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


def heed_interrupts() -> None:
    """For a child before it begins: tests that a shell runs in the background inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt(
    words: list[str],
    how: signal.Signals,
    at_work: Callable[[int], bool],
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run `lucid` with these words in a folder, send it a signal once it is `at_work` (by its pid), and let it end."""
    with subprocess.Popen(
        [sys.executable, "-m", "lucid", *words],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - no lock is taken
    ) as process:
        wait_until(lambda: process.poll() is not None or at_work(process.pid), "it is at work")
        process.send_signal(how)
        out, err = process.communicate(timeout=END_S)
    return Ended(process.returncode, out, err)
