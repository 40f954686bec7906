"""What a service holds its store by: writes are seen at once and durable later, many in one commit.

A machine reads every write that it returned before, durable or not; a driver waits for `durable` before it performs
what follows a write. Writes that arrive while a commit is on its way make up the next one (group commit).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple, TypeVar

import trio

from lucid.ledger.state import Write
from lucid.storage.interface import Store, StoreError

MAX_BATCH_WRITES = 20_000
RETRY_S = 1.0
"""How long what failed waits before it is tried again."""
LOOK_S = 5.0
"""How long a store is trusted to be there without being asked."""
LOOKED_AT = "look"
"""A table without rows."""
PAGE_ROWS = 256

T = TypeVar("T")


class _Pending(NamedTuple):
    """A value on its way to the store, and the number of the batch that it belongs to."""

    number: int
    value: bytes | None


class DurableStore:
    """A store under a service; `run` is its committer, without which nothing becomes durable.

    A store that has no room, or is out of reach, is tried again until it answers: nothing is lost, writes wait, reads
    block their thread, and `trouble` says why. `end` lets them give up, for a process that stops.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.trouble: str | None = None
        self.commits = 0
        self._lock = threading.Lock()
        self._queue: deque[Sequence[Write]] = deque()
        self._pending: dict[str, dict[bytes, _Pending]] = {}
        self._put = 0
        self._done = 0
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._work = trio.Event()
        self._changed = trio.Event()

    # -- reads, from any thread ----------------------------------------------------------------------------------

    def get(self, table: str, key: bytes) -> bytes | None:
        """The bytes as last put. Raises `StoreError`."""
        with self._lock:
            pending = self._pending.get(table, {}).get(key)
        return self._patiently(lambda: self.store.get(table, key)) if pending is None else pending.value

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows in order as in `Store.scan`, with what was put over what is stored."""
        with self._lock:
            held = {key: each.value for key, each in self._pending.get(table, {}).items()}
        inside = sorted(
            (
                (key, value)
                for key, value in held.items()
                if value is not None and ((not start or key < start) if reverse else key >= start)
            ),
            reverse=reverse,
        )
        stored = (row for row in self._stored(table, start, reverse) if row[0] not in held)
        return islice(merge(inside, stored, reverse=reverse), limit)

    def _stored(self, table: str, start: bytes, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """The store's rows, page by page."""
        while True:
            first = start

            def page(first: bytes = first) -> list[tuple[bytes, bytes]]:
                return list(self.store.scan(table, first, PAGE_ROWS, reverse))

            rows = self._patiently(page)
            yield from rows
            if len(rows) < PAGE_ROWS:
                return
            start = rows[-1][0] if reverse else rows[-1][0] + b"\x00"

    def _patiently(self, read: Callable[[], T]) -> T:
        while True:
            try:
                return read()
            except StoreError as error:
                self.trouble = str(error)
                if self._ended.wait(RETRY_S):
                    raise

    def end(self) -> None:
        """Let reads that wait for the store give up: the process stops."""
        self._ended.set()

    def tables(self) -> list[str]:
        """Names of the tables that hold something, in order."""
        with self._lock:
            waiting = [name for name, rows in self._pending.items() if rows]
        # Of a table with deletions on their way only its rows tell whether any are left.
        return sorted({*self.store.tables()} - {*waiting} | {name for name in waiting if any(self.scan(name, limit=1))})

    # -- writes, from the trio thread ----------------------------------------------------------------------------

    def put(self, writes: Iterable[Write]) -> int:
        """Let a batch of writes be seen at once and queue it; returns the ticket to wait for."""
        batch = tuple(writes)
        with self._lock:
            self._put += 1
            for table, key, value in batch:
                self._pending.setdefault(table, {})[key] = _Pending(self._put, value)
        self._queue.append(batch)
        self._work.set()
        return self._put

    async def durable(self, ticket: int) -> None:
        """Wait until the batch of that ticket, and all before it, are durable. Raises what ended the committer."""
        while self._done < ticket:
            if self._failure is not None:
                raise self._failure
            await self._changed.wait()

    async def write(self, writes: Iterable[Write]) -> None:
        """Put a batch and wait until it is durable."""
        await self.durable(self.put(writes))

    async def drained(self) -> None:
        """Wait until all that was put is durable."""
        await self.durable(self._put)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit what is put, for ever. Cancelled, it stops between two commits; a commit is never torn."""
        task_status.started()
        try:
            while True:
                while not self._queue:
                    self._work = trio.Event()
                    with trio.move_on_after(LOOK_S) as idle:
                        await self._work.wait()
                    if idle.cancelled_caught:
                        await self._look()
                await self._commit(self._batches())
        except Exception as error:
            self._failure = error
            self._notify()
            raise

    async def _look(self) -> None:
        """Read something: a service that has nothing to write must not find out late that its store is away."""
        try:
            await trio.to_thread.run_sync(self.store.get, LOOKED_AT, b"")
        except StoreError as error:
            self.trouble = str(error)
        else:
            self.trouble = None

    def _batches(self) -> list[Sequence[Write]]:
        """What the next commit takes: at least one batch, and never a part of one."""
        taken = [self._queue[0]]
        count = len(taken[0])
        for batch in islice(self._queue, 1, None):
            count += len(batch)
            if count > MAX_BATCH_WRITES:
                break
            taken.append(batch)
        return taken

    async def _commit(self, batches: list[Sequence[Write]]) -> None:
        writes = [write for batch in batches for write in batch]
        while True:
            try:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(self.store.write, writes)
                break
            except StoreError as error:
                self.trouble = str(error)
                await trio.sleep(RETRY_S)
        self.trouble = None
        self.commits += 1
        self._done += len(batches)
        for _ in batches:
            self._queue.popleft()
        with self._lock:
            for table, key, _ in writes:
                rows = self._pending[table]
                if key in rows and rows[key].number <= self._done:
                    del rows[key]
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
