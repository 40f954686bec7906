"""The commit that this code is of: the checkout's, or the one that a package says it was built from.

It imports the standard library alone, since a build reads it before anything is installed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

RECORD = "lucid/commit.txt"
"""Where a package has its commit, from its root."""


def commit(root: Path) -> str:
    """A short hash, with `+` after it if tracked files differ from it; empty if nothing says it."""
    if (root / ".git").exists():
        return _checked_out(root)
    record = root / RECORD
    return record.read_text("utf-8").strip() if record.is_file() else ""


def _checked_out(root: Path) -> str:
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--dirty=+", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
