"""A store in memory: what replays and simulated disks read from."""

from __future__ import annotations

from collections.abc import Iterable

from lucid.ledger.rowstore import Write


class MemoryStore:
    """Tables of bytes; see `lucid.ledger.rowstore.Reader`."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[bytes, bytes]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """The bytes as last written."""
        rows = self._tables.get(table)
        return None if rows is None else rows.get(key)

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        """The table from the key `start` on, in ascending order of keys."""
        rows = self._tables.get(table, {})
        return [(key, rows[key]) for key in sorted(key for key in rows if key >= start)]

    def tables(self) -> list[str]:
        """Names of the tables that hold something, in order."""
        return sorted(name for name, rows in self._tables.items() if rows)

    def write(self, writes: Iterable[Write]) -> None:
        """Apply writes in order; None deletes."""
        for table, key, value in writes:
            rows = self._tables.get(table)
            if rows is None:
                rows = self._tables[table] = {}
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
