"""Shell scripts in the place of a devnet's services."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from lucid.services import devnode


def runs(patch: pytest.MonkeyPatch, script: str) -> None:
    """Have a shell run this for each service: `$1` is its module."""

    def tied(command: Sequence[str]) -> list[str]:
        assert command[:2] == [sys.executable, "-m"] and command[3] == "--config"
        return ["sh", "-c", script, "sh", command[2]]

    patch.setattr(devnode, "tied", tied)
