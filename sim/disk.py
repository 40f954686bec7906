"""A node's disk: what was synced survives a crash, what was not is undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import Write

REMEMBERED = 16_384
"""Keys and values in each of the two generations of `SharedBytes`."""


class Damaged(Exception):
    """A row cannot be read as it was written: a store's checksum does not hold."""


class SharedBytes:
    """One copy of equal bytes for all disks that share this, of what they wrote lately: nodes store the same blocks."""

    def __init__(self) -> None:
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}

    def of(self, data: bytes) -> bytes:
        """The bytes that stand for these."""
        held = self._young.get(data)
        if held is None:
            held = self._old.get(data, data)
            if len(self._young) >= REMEMBERED:
                self._young, self._old = {}, self._young
            self._young[held] = held
        return held


class Disk(MemoryStore):
    """A write is seen at once and is safe from `sync` on; `crash` takes back the rest.

    Rows may be damaged: whoever reads one before it is written anew meets `Damaged`. `copies` save memory.
    """

    def __init__(self, copies: SharedBytes | None = None) -> None:
        super().__init__()
        self._one = (SharedBytes() if copies is None else copies).of
        self._unsynced: deque[list[Write]] = deque()
        self._damaged: set[tuple[str, bytes]] = set()
        self._strayed: dict[tuple[str, bytes], bytes | None] = {}
        """What was meant for rows that are as they were before."""

    def damage(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """From now on these rows, by table and key, cannot be read."""
        self._damaged.update(rows)

    def misdirect(self, meant: tuple[str, bytes], other: tuple[str, bytes]) -> None:
        """A row of the oldest batch that is not yet safe stays as it was: its bytes lie in place of another, which
        cannot be read from now on."""
        before = next(value for table, key, value in self._unsynced[0] if (table, key) == meant)
        self._strayed[meant] = super().get(*meant)
        super().write([(*meant, before)])
        self.damage([other])

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `MemoryStore`; raises `Damaged`."""
        if self._damaged and (table, key) in self._damaged:
            raise Damaged(table)
        rows = self._tables.get(table)
        return None if rows is None else rows.get(key)

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        """See `MemoryStore`; raises `Damaged`."""
        if self._damaged and any(each == table for each, _ in self._damaged):
            raise Damaged(table)
        return super().scan(table, start)

    def peek(self, table: str, key: bytes) -> bytes | None:
        """What was written, for who looks on from outside."""
        return self._strayed[table, key] if (table, key) in self._strayed else super().get(table, key)

    def keys(self, table: str) -> list[bytes]:
        """The keys of a table, in order."""
        return sorted(self._tables.get(table, {}))

    def being_written(self) -> list[tuple[str, bytes]]:
        """The rows, by table and key, of the oldest batch that is not yet safe."""
        return [(table, key) for table, key, _ in self._unsynced[0]] if self._unsynced else []

    def write(self, writes: Iterable[Write]) -> None:
        """Apply one batch; it is undone by a crash that comes before its `sync`."""
        undo: list[Write] = []
        tables, damaged, strayed, one = self._tables, self._damaged, self._strayed, self._one
        for table, key, value in writes:
            if damaged:
                damaged.discard((table, key))
            if strayed:
                strayed.pop((table, key), None)
            rows = tables.get(table)
            if rows is None:
                rows = tables[table] = {}
            before = rows.get(key)
            undo.append((table, key, before))
            if value is None:
                rows.pop(key, None)
            elif before is None:
                rows[one(key)] = one(value)
            else:
                rows[key] = one(value)
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
