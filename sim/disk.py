"""A node's disk: what was synced survives a crash, what was not is undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import Write


class Disk(MemoryStore):
    """A write is seen at once and is safe from `sync` on; `crash` takes back the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._unsynced: deque[list[Write]] = deque()

    def write(self, writes: Iterable[Write]) -> None:
        """Apply one batch; it is undone by a crash that comes before its `sync`."""
        undo: list[Write] = []
        tables = self._tables
        for table, key, value in writes:
            rows = tables.get(table)
            if rows is None:
                rows = tables[table] = {}
            undo.append((table, key, rows.get(key)))
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
        self._unsynced.append(undo)

    def sync(self) -> None:
        """The oldest batch that is not yet safe is safe now."""
        self._unsynced.popleft()

    def sync_all(self, most: int | None = None) -> None:
        """The oldest batches that are not yet safe, all or so many of them, are safe now."""
        for _ in range(len(self._unsynced) if most is None else min(most, len(self._unsynced))):
            self.sync()

    def crash(self) -> None:
        """Lose what was not synced, newest first."""
        while self._unsynced:
            super().write(reversed(self._unsynced.pop()))
