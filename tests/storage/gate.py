"""A store whose commits wait until they may, for the tests of what happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from lucid.ledger.rowstore import Write
from lucid.storage.sqlite import SqliteStore


class Gate(SqliteStore):
    """SQLite behind a gate that is shut; `batches` counts the writes of each commit."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.open = threading.Event()
        self.batches: list[int] = []

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        assert self.open.wait(10)
        self.batches.append(len(writes))
        super().write(writes)
