"""A node's disk: what was synced survives a crash, what was not is undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lucid.ledger.memory import MemoryStore
from lucid.ledger.rowstore import Write
from sim.sharedrows import SharedRows, SharedTable


class Damaged(Exception):
    """A row cannot be read as it was written: a store's checksum does not hold."""


class Disk(MemoryStore):
    """A write is seen at once and is safe from `sync` on; `crash` takes back the rest.

    Rows may be damaged: whoever reads one before it is written anew meets `Damaged`. Disks that have `shared` keep one
    copy of what they all hold.
    """

    def __init__(self, shared: SharedRows | None = None) -> None:
        super().__init__()
        self._shared = shared
        self._bit = 0 if shared is None else shared.join()
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
        self._strayed[meant] = self._row(*meant)
        self._apply([(*meant, before)])
        self.damage([other])

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `MemoryStore`; raises `Damaged`."""
        if self._damaged and (table, key) in self._damaged:
            raise Damaged(table)
        return self._row(table, key)

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        """See `MemoryStore`; raises `Damaged`."""
        if self._damaged and any(each == table for each, _ in self._damaged):
            raise Damaged(table)
        rows = self._rows(table)
        return [(key, rows[key]) for key in sorted(rows) if key >= start]

    def peek(self, table: str, key: bytes) -> bytes | None:
        """What was written, for who looks on from outside."""
        return self._strayed[table, key] if (table, key) in self._strayed else self._row(table, key)

    def keys(self, table: str) -> list[bytes]:
        """The keys of a table, in order."""
        return sorted(self._rows(table))

    @property
    def sound(self) -> bool:
        """Whether every row is as it was written last."""
        return not self._damaged and not self._strayed

    def rows(self, table: str) -> dict[bytes, bytes]:
        """A table's rows, for a disk that is sound."""
        return dict(self._rows(table))

    def tables(self) -> list[str]:
        """See `MemoryStore`."""
        names = {*self._tables, *(() if self._shared is None else self._shared.tables)}
        return sorted(name for name in names if self._rows(name))

    def being_written(self) -> list[tuple[str, bytes]]:
        """The rows, by table and key, of the oldest batch that is not yet safe."""
        return [(table, key) for table, key, _ in self._unsynced[0]] if self._unsynced else []

    def write(self, writes: Iterable[Write]) -> None:
        """Apply one batch; it is undone by a crash that comes before its `sync`."""
        if self._damaged or self._strayed:
            writes = list(writes)
            for table, key, _ in writes:
                self._damaged.discard((table, key))
                self._strayed.pop((table, key), None)
        self._unsynced.append(self._apply(writes))

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
            self._apply(reversed(self._unsynced.pop()))

    def _row(self, table: str, key: bytes) -> bytes | None:
        """A row as it stands here, whoever may read it."""
        own, shared = self._tables.get(table), self._shared
        value = own.get(key) if own else None
        if value is not None or shared is None:
            return value
        there = shared.tables.get(table)
        held = None if there is None else there.values.get(key)
        if held is None or there is None:
            return None
        holders = there.holders.get(key)
        if holders is not None and not holders & self._bit:
            return None
        return held if type(held) is bytes else shared.bytes_of(held)

    def _rows(self, table: str) -> dict[bytes, bytes]:
        """All rows of a table as they stand here."""
        own, shared = self._tables.get(table, {}), self._shared
        there = None if shared is None else shared.tables.get(table)
        if shared is None or there is None:
            return own
        holders, bit = there.holders, self._bit
        rows = {
            key: value if type(value) is bytes else shared.bytes_of(value)
            for key, value in there.values.items()
            if holders.get(key, bit) & bit
        }
        rows.update(own)
        return rows

    def _apply(self, writes: Iterable[Write]) -> list[Write]:
        """Apply writes in order; returns what undoes them, in reverse."""
        if self._shared is None:
            return [(table, key, self._replace(table, key, value)) for table, key, value in writes]
        return self._apply_shared(self._shared, writes)

    def _apply_shared(self, shared: SharedRows, writes: Iterable[Write]) -> list[Write]:
        """The same where others hold most of it too: this is what all nodes do with each block."""
        undo: list[Write] = []
        bit, everybody, tables, mine = self._bit, shared.everybody, shared.tables, self._tables
        for table, key, value in writes:
            there = tables.get(table) or shared.table(table)
            held = there.values.get(key)
            own = mine.get(table)
            before: bytes | None
            if held is None:
                # Nobody shares it: this is the first disk to write it, or the others have something else each.
                before = own.pop(key, None) if own else None
                if value is not None:
                    there.values[key] = value
                    if bit != everybody:
                        there.holders[key] = bit
            else:
                holders = there.holders.get(key, everybody)
                if holders & bit:
                    before = held if type(held) is bytes else shared.bytes_of(held)
                    if held != value:
                        self._part(there, table, key, value, holders & ~bit)
                elif held == value:
                    before = own.pop(key, None) if own else None
                    if holders | bit != everybody:
                        there.holders[key] = holders | bit
                    else:
                        del there.holders[key]
                        if there.spooled:
                            shared.settle(there, key)
                else:
                    before = self._replace(table, key, value)
            undo.append((table, key, before))
        return undo

    def _part(self, there: SharedTable, table: str, key: bytes, value: bytes | None, left: int) -> None:
        """Have a value of one's own, or none, in place of one that these others still hold, if any do."""
        if left:
            there.holders[key] = left
            if value is not None:
                self._replace(table, key, value)
        elif value is None:
            del there.values[key]
            there.holders.pop(key, None)
        else:
            # Nobody else holds anything of it here: what this disk has is what all may come to hold.
            there.values[key] = value

    def _replace(self, table: str, key: bytes, value: bytes | None) -> bytes | None:
        """Set or delete a row of this disk's own; returns what was there."""
        own = self._tables.get(table)
        if own is None:
            own = self._tables[table] = {}
        if value is None:
            return own.pop(key, None)
        before = own.get(key)
        own[key] = value
        return before
