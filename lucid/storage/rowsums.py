"""Checksums of the rows of an SQLite store: a byte that its disk changed is found by whoever reads the row.

SQLite sees what spoils the form of a page, and not what changes a value in it. So each row has a checksum of its own,
over its table, key and value. An older release, which knows of none, reads and writes through a view that has the name
and the columns of its table; what it writes has no checksum, and is believed as it was before, until it is written
again. Rows of a store that such a release began have none either. MongoDB has checksums of its own.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence

from lucid.storage.errors import StoreDamaged

LAYOUT = (
    "ALTER TABLE entry RENAME TO stored",
    "ALTER TABLE stored ADD COLUMN sum INTEGER",
    "CREATE VIEW entry AS SELECT tab, key, value FROM stored",
    # Whatever an INSERT says of conflicts goes for what its trigger does.
    "CREATE TRIGGER entry_insert INSTEAD OF INSERT ON entry BEGIN "
    "INSERT INTO stored (tab, key, value) VALUES (new.tab, new.key, new.value); END",
    "CREATE TRIGGER entry_delete INSTEAD OF DELETE ON entry BEGIN "
    "DELETE FROM stored WHERE tab=old.tab AND key=old.key; END",
    # No release updates rows; who does so by hand leaves the checksum as it was.
    "CREATE TRIGGER entry_update INSTEAD OF UPDATE ON entry BEGIN "
    "UPDATE stored SET tab=new.tab, key=new.key, value=new.value WHERE tab=old.tab AND key=old.key; END",
)
"""What gives the table of an older release checksums, whatever it holds: none of it is written anew."""

Row = tuple[bytes, bytes, int | None]
"""A key, its value and their checksum, if they have one."""


def has_sums(connection: sqlite3.Connection) -> bool:
    """Whether a store's rows have checksums."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='stored'").fetchone()
    return found is not None


def row_sum(table: str, key: bytes, value: bytes) -> int:
    """The checksum of a row: 32 bits, with a sign, as SQLite keeps those in four bytes."""
    name = table.encode()
    head = len(name).to_bytes(2, "big") + name + len(key).to_bytes(4, "big") + key
    found = zlib.crc32(value, zlib.crc32(head))
    return found - (1 << 32) if found >> 31 else found


def changed_keys(table: str, rows: Iterable[Row]) -> Iterator[bytes]:
    """The keys of the rows that are not what was written."""
    return (key for key, value, found in rows if found is not None and found != row_sum(table, key, value))


def verified(table: str, rows: Sequence[Row]) -> list[tuple[bytes, bytes]]:
    """The keys and values of rows. Raises `StoreDamaged` where one is not what was written."""
    for key in changed_keys(table, rows):
        raise StoreDamaged("a row is not what was written: its checksum is wrong", table, key)
    return [(key, value) for key, value, _ in rows]
