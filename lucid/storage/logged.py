"""SQLite with a commit log in front: a small commit costs one page of the disk, and SQLite gets many at once.

SQLite writes every page that a commit changes, twice, for a few hundred bytes. So small commits go into a log (see
`commitlog`), and what they wrote is kept in memory until the log is full; then SQLite takes all of it in one commit,
which also says up to which record that is. After a crash what the log holds beyond that is read back. Large commits go
to SQLite at once. A closed store has no log: its file alone is the store, as it was before there were logs.
"""

from __future__ import annotations

import errno
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Refusal
from lucid.ledger.rowstore import Write
from lucid.storage.commitlog import IDENTITY_BYTES, MAX_RECORD_BYTES, CommitLog, LogDamaged, LogFile, read_log
from lucid.storage.errors import StoreDamaged, StoreError, StoreFull, StoreOther
from lucid.storage.interface import LOG_TABLE, LOGGED_VERSION, SCHEMA_VERSION
from lucid.storage.overlay import overlaid
from lucid.storage.sqlite import CLOSE_S, Reading, SqliteStore

IDENTITY_KEY = b"identity"
APPLIED_KEY = b"applied"
NUMBER_BYTES = 8
WORTH_COMMITS = 4
"""How many small commits a store has taken before it begins a log: one that is hardly written needs none."""
TRIES = 20
"""How often a copy is begun anew because the log was filled again meanwhile."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class _Moved(Exception):
    """The log was filled again while it was read."""


class LoggedStore:
    """See `Store`. One process writes; others may read what SQLite holds, and make backups, meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open or make the store at `path`, whose log is beside it. Raises `StoreError`."""
        self.path = path
        self._below = SqliteStore(path)
        self._writing = threading.Lock()
        self._overlay_lock = threading.Lock()
        self._overlay: dict[str, dict[bytes, bytes | None]] = {}
        """What the log holds and SQLite does not; None for what is deleted."""
        self._log: CommitLog | None = None
        self._file: LogFile | None = None
        self._mine = True
        self._no_room = False
        self._small = 0
        """Small commits without a log."""
        self._closed = False
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        """Read back what the log holds. Nothing is written: a store opens on a full disk."""
        logged = self._below.logged()
        try:
            self._file = LogFile(log_path(self.path))
        except OSError as error:
            if logged:
                raise StoreError(f"{log_path(self.path)}: {error.strerror}") from None
            return
        self._mine = self._file.lock()
        if not self._mine or not self._below.logged():
            return
        log = CommitLog(self._file)
        with self._translated():
            for data in log.load(*_place(self._below.get)):
                self._cover(_decoded(data))
        self._log = log

    # -- reads ---------------------------------------------------------------------------------------------------

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Store`."""
        with self._overlay_lock:
            rows = self._overlay.get(table)
            if rows is not None and key in rows:
                return rows[key]
        return self._below.get(table, key)

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Store`."""
        with self._overlay_lock:
            held = dict(self._overlay.get(table, {}))
        if not held:
            return self._below.scan(table, start, limit, reverse)
        # What SQLite takes meanwhile is in `held` as it was.
        most = None if limit is None else limit + len(held)
        return overlaid(held, self._below.scan(table, start, most, reverse), start, limit, reverse)

    def tables(self) -> list[str]:
        """See `Store`."""
        with self._overlay_lock:
            covered = list(self._overlay)
        stored = {*self._below.tables()} - {LOG_TABLE}
        # Of a table with deletions in the log only its rows tell whether any are left.
        return sorted(stored - {*covered} | {name for name in covered if any(True for _ in self.scan(name, limit=1))})

    def hold(self, lock: Path) -> None:
        """See `Store`. It holds its log since it was opened, wherever the data folder is."""
        if not self._mine:
            raise StoreOther("another process uses it: stop that one, or give this one a store of its own")

    def look(self) -> None:
        """See `Store`."""
        self._below.look()

    def check(self) -> list[str]:
        """See `Store`. The log was looked at when it was opened."""
        return self._below.check()

    # -- writes --------------------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        if not writes:
            return
        data = encode(tuple(writes))
        with self._writing:
            if not self._mine:
                raise StoreError(f"{self.path}: another process uses the store: stop that one first")
            if len(data) <= MAX_RECORD_BYTES and self._has_log():
                self._append(data, writes)
            else:
                self._apply(writes)

    def write_once(self, table: str, key: bytes, value: bytes) -> bytes:
        """See `Store`."""
        with self._writing:
            if table in self._overlay:
                self._apply(())
            return self._below.write_once(table, key, value)

    def _append(self, data: bytes, writes: Sequence[Write]) -> None:
        assert self._log is not None
        if not self._log.takes(data):
            self._apply(())
        with self._translated():
            self._log.append(data)
        with self._overlay_lock:
            self._cover(writes)

    def _cover(self, writes: Sequence[Write]) -> None:
        for table, key, value in writes:
            self._overlay.setdefault(table, {})[key] = value

    def _apply(self, writes: Sequence[Write], closing: bool = False) -> None:
        """Have SQLite take what the log holds, and `writes` after it, in one commit."""
        log = self._log
        everything: list[Write] = [
            (table, key, value) for table, rows in self._overlay.items() for key, value in sorted(rows.items())
        ]
        everything += writes
        skipped = 1 if writes else 0
        if log is None:
            self._below.commit(everything)
        elif closing:
            gone: list[Write] = [(LOG_TABLE, key, None) for key in (IDENTITY_KEY, APPLIED_KEY)]
            self._below.commit([*everything, *gone], SCHEMA_VERSION)
        else:
            number = log.applied(skipped).to_bytes(NUMBER_BYTES, "big")
            self._below.commit([*everything, (LOG_TABLE, APPLIED_KEY, number)])
            log.restart(skipped)
        with self._overlay_lock:
            self._overlay = {}

    def _has_log(self) -> bool:
        """Whether there is a log for a small commit; one is begun where it is worth it and there is room."""
        self._small += 1
        if self._log is not None or self._file is None or self._no_room or self._small <= WORTH_COMMITS:
            return self._log is not None
        identity = secrets.token_bytes(IDENTITY_BYTES)
        log = CommitLog(self._file)
        try:
            log.begin(identity)
            start: list[Write] = [
                (LOG_TABLE, IDENTITY_KEY, identity),
                (LOG_TABLE, APPLIED_KEY, bytes(NUMBER_BYTES)),
            ]
            self._below.commit(start, LOGGED_VERSION)
        except (OSError, StoreFull):
            # Every commit goes to SQLite until the store is opened again.
            self._no_room = True
            with suppress(OSError):
                self._file.clear()
            return False
        self._log = log
        return True

    # -- copies and the end --------------------------------------------------------------------------------------

    def backup(self, path: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Copy the store as `SqliteStore.backup` does, also while another process writes it."""
        for _ in range(TRIES):
            try:
                self._below.backup(path, self._lacking, progress)
                return
            except _Moved:
                continue
        raise StoreError(f"{self.path} is written too fast for a copy: stop the service first")

    def _lacking(self, get: Reading) -> list[Write]:
        """What a moment of SQLite's file lacks. Raises `_Moved` where the log was filled again since that moment."""
        identity = get(LOG_TABLE, IDENTITY_KEY)
        if identity is None:
            return []
        applied = get(LOG_TABLE, APPLIED_KEY)
        try:
            assert self._file is not None
            text = self._file.read()
            records, _, _ = read_log(text, *_place(get))
        except LogDamaged:
            records = []
            if self._below.get(LOG_TABLE, APPLIED_KEY) == applied:
                raise StoreDamaged(f"{log_path(self.path)} is damaged") from None
        if self._below.get(LOG_TABLE, APPLIED_KEY) != applied or self._below.get(LOG_TABLE, IDENTITY_KEY) != identity:
            raise _Moved
        return [write for data in records for write in _decoded(data)]

    def close(self) -> None:
        """See `Store`. SQLite takes what the log holds; where it cannot, the next opening reads it back."""
        # What hangs keeps the lock, and the process that stops does not wait for it.
        if self._closed or not self._writing.acquire(timeout=CLOSE_S):
            return
        self._closed = True
        try:
            if self._log is not None and self._file is not None:
                with suppress(StoreError, OSError):
                    self._apply((), closing=True)
                    self._file.clear()
        finally:
            self._below.close()
            if self._file is not None:
                self._file.close()
            self._writing.release()

    @property
    def made(self) -> bool:
        """See `Store`."""
        return self._below.made

    def unmake(self) -> None:
        """See `Store`. While its log is this process's, no other comes to use the file."""
        if self.made and self._mine and self._log is None and not self._closed:
            self._below.unmake()
            log = log_path(self.path)
            if not self.path.exists() and log.exists() and not log.stat().st_size:
                log.unlink()
        self.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What is wrong with the log, as a store's trouble."""
        try:
            yield
        except (LogDamaged, Refusal) as error:
            raise StoreDamaged(f"{log_path(self.path)}, the commits that {self.path} lacks: {error}") from None
        except OSError as error:
            kind = StoreFull if error.errno in _NO_ROOM else StoreError
            raise kind(f"{log_path(self.path)}: {error.strerror}") from None


def log_path(path: Path) -> Path:
    """Where the log of the store at `path` is."""
    return path.with_name(f"{path.name}-log")


def _place(get: Reading) -> tuple[bytes, int]:
    """The identity of the log that a file has, and the number of the last record that it took."""
    return get(LOG_TABLE, IDENTITY_KEY) or bytes(IDENTITY_BYTES), int.from_bytes(
        get(LOG_TABLE, APPLIED_KEY) or b"", "big"
    )


def _decoded(data: bytes) -> tuple[Write, ...]:
    return decode(data, tuple[Write, ...])
