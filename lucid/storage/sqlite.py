"""The embedded store, the default: one SQLite file in WAL mode, each write durable before it returns."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from lucid.ledger.rowstore import Write
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull, StoreOther
from lucid.storage.files import whole_file
from lucid.storage.interface import LOGGED_VERSION, LOOKED_AT, NEVER_COPIED, OWN_TABLES, SCHEMA_VERSION, other_version
from lucid.storage.rowsums import LAYOUT, Row, changed_keys, has_sums, row_sum, verified

PAGE_BYTES = 1_024
"""Of new stores. A block changes few rows, in many pages, and a page is written as a whole, twice: measured per empty
block, a node's four services write 85 KiB with pages of 4 KiB, 77 with 2, 62 with 1 and 54 with half of one, which
hold no row without overflowing."""
CHECKPOINT_PAGES = 16_384
"""Pages in the write-ahead log before they are moved to where they belong: what changes often is moved once. Blocks lie
by their hashes, each beside others: measured in a store of 20,000 blocks, 6.9 KiB are written for one here and 9.0 with
a quarter of these pages."""
SCAN_ROWS = 256
"""Rows fetched at once, so that a long scan holds no read transaction that keeps the WAL from being emptied."""
COPIED_PAGES = 4_096
"""Pages that are copied between two looks at how far a copy is."""
_NO_INDEX = (sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP)
SUFFIXES = ("", "-wal", "-shm")
"""What SQLite calls the files of a store, after its own name."""
WAIT_S = 5.0
CLOSE_S = 0.2

Reading = Callable[[str, bytes], bytes | None]
"""What a table has at a key."""


class SqliteStore:
    """See `Store`. One connection writes and one reads, so that a read never waits for a commit."""

    def __init__(self, path: Path, max_pages: int | None = None) -> None:
        """Open or make the store at `path`; `max_pages` bounds the file, for tests of a full disk."""
        self.path = path
        self.made = not path.exists()
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._sums = self._sums_tried = False
        """Whether rows have checksums, and whether they were to be given some since the store was opened."""
        with _translated(path):
            try:
                self._open_somehow(max_pages)
            except sqlite3.Error as error:
                # Anything else may be what another process made after this looked.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                    self._remove()
                raise

    def _open_somehow(self, max_pages: int | None) -> None:
        try:
            self._open(max_pages)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _NO_INDEX:
                raise
            self._open(max_pages, alone=True)

    def _open(self, max_pages: int | None, alone: bool = False) -> None:
        """Open it. `alone`, SQLite needs no index of the log in a file of its own, which a full disk has no room for;
        then there is one connection, so that reads wait for commits, and no other process can read."""
        with ExitStack() as opened:
            self._writer = self._reader = opened.enter_context(closing(self._connect(alone)))
            self._prepare(max_pages)
            if alone:
                self._reading = self._writing
            else:
                self._reader = opened.enter_context(closing(self._connect()))
            self._opened = opened.pop_all()

    def _connect(self, alone: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            if alone:
                connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, max_pages: int | None) -> None:
        writer = self._writer
        writer.execute(f"PRAGMA page_size={PAGE_BYTES}")
        if max_pages is not None:
            writer.execute(f"PRAGMA max_page_count={max_pages}")
        [version] = writer.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION, LOGGED_VERSION):
            raise StoreOther(other_version(str(self.path), version))
        if version == 0 and writer.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
            raise StoreOther(f"{self.path} is a database of another program")
        writer.execute("PRAGMA journal_mode=WAL")
        if version:
            self._sums = has_sums(writer)
            return  # nothing to write: a store opens on a full disk too
        writer.execute("BEGIN IMMEDIATE")
        writer.execute(
            "CREATE TABLE IF NOT EXISTS entry (tab TEXT, key BLOB, value BLOB NOT NULL, PRIMARY KEY (tab, key)) "
            "WITHOUT ROWID, STRICT"
        )
        if not has_sums(writer):  # another process may have made it at this moment
            _lay_out(writer)
        writer.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        writer.execute("COMMIT")
        self._sums = True

    def _give_sums(self) -> None:
        """Let the rows of a store that an older release began have checksums, where there is room for that."""
        writer, self._sums_tried = self._writer, True
        writer.execute("BEGIN IMMEDIATE")
        try:
            if not has_sums(writer):
                _lay_out(writer)
            writer.execute("COMMIT")
        except sqlite3.Error:
            _roll_back(writer)  # it goes on without, as it did before
        else:
            self._sums = True

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store`."""
        rows = self._rows("tab=? AND key=?", table, key)
        return rows[0][1] if rows else None

    def _rows(self, where: str, *values: str | bytes) -> list[tuple[bytes, bytes]]:
        """Rows of the table that is the first of the values. Raises `StoreDamaged` where they are not as written."""
        columns = "key, value, sum FROM stored" if self._sums else "key, value, NULL FROM entry"
        rows: list[Row] = self._read(f"SELECT {columns} WHERE {where}", *values)
        return verified(str(values[0]), rows)

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store`."""
        compare, order = ("<", "DESC") if reverse else (">=", "ASC")
        where, place = ("", ()) if reverse and not start else (f" AND key{compare}?", (start,))
        while limit is None or limit > 0:
            count = SCAN_ROWS if limit is None else min(limit, SCAN_ROWS)
            rows = self._rows(f"tab=?{where} ORDER BY key {order} LIMIT {count}", table, *place)
            yield from rows
            if len(rows) < count:
                return
            limit = None if limit is None else limit - count
            where, place = f" AND key{'<' if reverse else '>'}?", (rows[-1][0],)

    def tables(self) -> list[str]:
        """See `Store`. From one table to the next: a look at every entry takes long, and meets all damage there is."""
        found: list[str] = []
        while rows := self._read("SELECT tab FROM entry WHERE tab>? ORDER BY tab LIMIT 1", found[-1] if found else ""):
            found.append(rows[0][0])
        return found

    def logged(self) -> bool:
        """Whether a commit log holds what this file lacks."""
        return bool(self._read("PRAGMA user_version") == [(LOGGED_VERSION,)])

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        self.commit(writes)

    def commit(self, writes: Sequence[Write], version: int | None = None) -> None:
        """Write as `write` does; with a schema `version`, the file has that from then on, in the same commit."""
        with _translated(self.path), self._writing:
            writer = self._writer
            if not self._sums and not self._sums_tried:
                self._give_sums()
            writer.execute("BEGIN IMMEDIATE")
            try:
                _perform(self.path, writer, writes, self._sums)
                if version is not None:
                    writer.execute(f"PRAGMA user_version={version}")
                writer.execute("COMMIT")
            except BaseException:
                _roll_back(writer)
                raise

    def write_once(self, table: str, key: bytes, value: bytes) -> bytes:
        """See `Store`."""
        with _translated(self.path), self._writing:
            _insert(self._writer, "IGNORE", self._sums, table, key, value)
        held = self.get(table, key)
        assert held is not None
        return held

    def hold(self, lock: Path) -> None:
        """See `Store`. A file by itself is anyone's: the log in front of it is what a process holds."""

    def look(self) -> None:
        """See `Store`."""
        self.get(LOOKED_AT, b"")

    def check(self) -> list[str]:
        """See `Store`."""
        found = [sentence for (sentence,) in self._read("PRAGMA integrity_check")]
        if found != ["ok"]:
            return [f"{self.path}: {sentence}" for sentence in found]
        return list(self._changed_rows()) if self._sums else []

    def _changed_rows(self) -> Iterator[str]:
        """A sentence for each row that is not what was written."""
        for table in self.tables():
            start = b""
            while True:
                query = f"SELECT key, value, sum FROM stored WHERE tab=? AND key>=? ORDER BY key LIMIT {SCAN_ROWS}"
                rows: list[Row] = self._read(query, table, start)
                for key in changed_keys(table, rows):
                    yield f"the table {table} has a row at the key {key.hex()} that is not what was written"
                if len(rows) < SCAN_ROWS:
                    break
                start = rows[-1][0] + b"\x00"

    def backup(
        self,
        path: Path,
        further: Callable[[Reading], Sequence[Write]] = lambda _: (),
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Copy the store, as of one moment and without the log of votes, to a new file, durably.

        `further` says what that moment's copy lacks, by what the file holds then; it may raise to have no copy.
        `progress` is told how many pages are copied, of how many. Raises `StoreError`, `StoreDamaged` for a row that is
        not what was written, and `OSError` where no such file can be made."""
        with _translated(path), whole_file(path) as part, closing(sqlite3.connect(part, isolation_level=None)) as copy:
            with closing(self._connect()) as moment:
                moment.execute("BEGIN")

                def get(table: str, key: bytes) -> bytes | None:
                    row = moment.execute("SELECT value FROM entry WHERE tab=? AND key=?", (table, key)).fetchone()
                    return None if row is None else row[0]

                writes = further(get)
                moment.backup(copy, pages=COPIED_PAGES, progress=lambda _, left, total: progress(total - left, total))
            if has_sums(copy):
                _believe_all(copy)
            copy.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            _perform(path, copy, writes, has_sums(copy))
            copy.executemany("DELETE FROM entry WHERE tab=?", [(table,) for table in NEVER_COPIED])
            copy.execute("VACUUM")
            copy.execute("PRAGMA journal_mode=DELETE")  # so that the copy is one file

    def close(self) -> None:
        """See `Store`."""
        # What hangs in the store keeps its lock; the process that stops does not wait for it.
        locks = dict.fromkeys((self._writing, self._reading))
        held = [lock for lock in locks if lock.acquire(timeout=CLOSE_S)]
        if len(held) == len(locks):
            self._opened.close()
        for lock in held:
            lock.release()

    def unmake(self) -> None:
        """See `Store`."""
        unused = self.made and set(self.tables()) <= {*OWN_TABLES}
        self.close()
        if unused:
            self._remove()

    def _remove(self) -> None:
        if self.made:
            for suffix in SUFFIXES:
                self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)

    def _read(self, query: str, *values: str | bytes) -> list[Any]:
        table, key = (str(values[0]) if values else "", values[1] if len(values) > 1 else b"")
        assert isinstance(key, bytes)
        with _translated(self.path, table, key), self._reading:
            return self._reader.execute(query, values).fetchall()


def _lay_out(connection: sqlite3.Connection) -> None:
    for statement in LAYOUT:
        connection.execute(statement)


def _believe_all(connection: sqlite3.Connection) -> None:
    """Compare all rows with their checksums. Raises `StoreDamaged`."""
    for table, *row in connection.execute("SELECT tab, key, value, sum FROM stored"):
        verified(table, [tuple(row)])


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _perform(path: Path, connection: sqlite3.Connection, writes: Sequence[Write], sums: bool) -> None:
    place = "stored" if sums else "entry"
    for table, key, value in writes:
        try:
            if value is None:
                connection.execute(f"DELETE FROM {place} WHERE tab=? AND key=?", (table, key))
            else:
                _insert(connection, "REPLACE", sums, table, key, value)
        except sqlite3.Error as error:
            raise _trouble(error, path, table, key) from None


def _insert(connection: sqlite3.Connection, conflict: str, sums: bool, table: str, key: bytes, value: bytes) -> None:
    """A row; where there is one, `conflict` says what becomes of it."""
    if sums:
        row = (table, key, value, row_sum(table, key, value))
        connection.execute(f"INSERT OR {conflict} INTO stored VALUES (?, ?, ?, ?)", row)
    else:
        connection.execute(f"INSERT OR {conflict} INTO entry VALUES (?, ?, ?)", (table, key, value))


@contextmanager
def _translated(path: Path, table: str = "", key: bytes = b"") -> Iterator[None]:
    """SQLite's errors as ours; `table` and `key` say what was asked for."""
    try:
        yield
    except sqlite3.Error as error:
        raise _trouble(error, path, table, key) from None


def _trouble(error: sqlite3.Error, path: Path, table: str, key: bytes) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension that says where
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"{path}: {error}")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(f"{path}: {error}", table, key)
    return StoreError(f"{path}: {error}")
