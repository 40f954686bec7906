"""One copy of the rows that several disks hold: the nodes of a network store the same blocks and the same ledger."""

from __future__ import annotations

from collections import deque

from sim.spool import Spool

KEPT_ROWS = 1_024
"""Rows that all disks hold, of the tables that are spooled, which stay in memory: those that became so last."""


class SharedTable:
    """A table of several disks: by key one value, and the disks that hold it.

    `holders` has them as bits, for the keys that not every disk holds. What a disk holds instead, it keeps by itself.
    `spooled` tables have, in place of values, the numbers of those that lie in the spool.
    """

    __slots__ = ("holders", "spooled", "values")

    def __init__(self, spooled: bool) -> None:
        self.values: dict[bytes, bytes | int] = {}
        self.holders: dict[bytes, int] = {}
        self.spooled = spooled


class SharedRows:
    """The tables of several disks, which all join before the first row is written.

    Rows of `spooled` tables, written once and seldom read, go to a file when all disks have held them a while.
    """

    def __init__(self, spooled: frozenset[str] = frozenset()) -> None:
        self.tables: dict[str, SharedTable] = {}
        self.everybody = 0
        """The bits of all disks."""
        self._spooled = spooled
        self._spool = Spool()
        self._settled: deque[tuple[SharedTable, bytes]] = deque()

    def join(self) -> int:
        """One more disk; returns its bit."""
        assert not self.tables, "else it would hold what was written before"
        bit = self.everybody + 1
        self.everybody += bit
        return bit

    def table(self, name: str) -> SharedTable:
        """A table, which may be a new one."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = SharedTable(name in self._spooled)
        return found

    def bytes_of(self, value: bytes | int) -> bytes:
        """What stands for a value in its table, as bytes."""
        return self._spool.read(value) if isinstance(value, int) else value

    def settle(self, table: SharedTable, key: bytes) -> None:
        """Every disk holds this row of a spooled table now."""
        self._settled.append((table, key))
        if len(self._settled) > KEPT_ROWS:
            table, key = self._settled.popleft()
            value = table.values.get(key)
            if isinstance(value, bytes) and key not in table.holders:
                table.values[key] = self._spool.put(value)
