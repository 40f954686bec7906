"""The `lucid` command, run in a process of its own as a user runs it."""

from __future__ import annotations

import subprocess
import sys

from smoke.live.failure import LiveError

COMMAND_S = 120.0
"""A session is final within two blocks or three."""


def lucid(*words: str) -> str:
    """Run the `lucid` command; its output. Raises `LiveError` with what it said."""
    command = [sys.executable, "-m", "lucid.cli.main", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)
    except subprocess.TimeoutExpired:
        raise LiveError(f"lucid {words[0]} does not come to an end within {COMMAND_S:.0f} s") from None
    if done.returncode:
        raise LiveError(f"lucid {words[0]}: {(done.stderr.strip() or done.stdout.strip())[-500:]}")
    return done.stdout
