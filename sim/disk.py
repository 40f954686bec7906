"""A node's disk: what was synced survives a crash, what was not is undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lucid.ledger.state import Write

Undo = tuple[str, bytes, bytes | None]


class Disk:
    """Tables of bytes. A write is seen at once and is safe from `sync` on; `crash` takes back the rest."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[bytes, bytes]] = {}
        self._unsynced: deque[list[Undo]] = deque()

    def get(self, table: str, key: bytes) -> bytes | None:
        """The bytes as last written."""
        rows = self._tables.get(table)
        return None if rows is None else rows.get(key)

    def scan(self, table: str) -> Iterable[tuple[bytes, bytes]]:
        """The table in ascending order of keys."""
        return sorted(self._tables.get(table, {}).items())

    def write(self, writes: Iterable[Write]) -> None:
        """Apply one batch; it is undone by a crash that comes before its `sync`."""
        undo: list[Undo] = []
        for table, key, value in writes:
            rows = self._tables.get(table)
            if rows is None:
                rows = self._tables[table] = {}
            undo.append((table, key, rows.get(key)))
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
        self._unsynced.append(undo)

    def sync(self) -> None:
        """The oldest batch that is not yet safe is safe now."""
        self._unsynced.popleft()

    def crash(self) -> None:
        """Lose what was not synced, newest first."""
        while self._unsynced:
            for table, key, value in reversed(self._unsynced.pop()):
                if value is None:
                    self._tables[table].pop(key, None)
                else:
                    self._tables[table][key] = value
