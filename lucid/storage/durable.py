"""What a service holds its store by: writes are seen at once and durable later, many in one commit.

A machine reads every write that it returned before, durable or not; a driver waits for `durable` before it performs
what follows a write. Writes that arrive while a commit is on its way make up the next one (group commit).
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import NamedTuple, TypeVar

import trio

from lucid.chain.errors import Code, Refusal
from lucid.ledger.rowstore import RowLost, Write
from lucid.storage.errors import StoreDamaged, StoreError, StoreOther, StoreSlow
from lucid.storage.interface import Store
from lucid.storage.overlay import overlaid

MAX_BATCH_WRITES = 20_000
RETRY_S = 1.0
"""How long what failed waits before it is tried again."""
LOOK_S = 5.0
"""How long a store is trusted to be there without being asked."""
LAZY_S = 60.0
PAGE_ROWS = 256

READ_S = 4.0
"""How long whoever asks a service waits for its store."""
WHEN_S = 0.1
"""How often who waits for a task looks whether that task can go on."""
SLOW_S = 3.0
"""A use of the store that takes longer is trouble already."""
READERS = 16
"""Reads for others at once; a store that hangs keeps the threads of those that gave up."""
LAST_COMMIT_S = 0.5
"""How long a process that stops waits for the commit under way."""

T = TypeVar("T")

_log = logging.getLogger("lucid.store")
_patient: ContextVar[bool] = ContextVar("patient", default=True)
"""Whether a read waits for a store that is away: a machine can do nothing without it, a client is told."""


class _Pending(NamedTuple):
    """A value on its way to the store, and the number of the batch that it belongs to."""

    number: int
    value: bytes | None


class DurableStore:
    """A store under a service; `run` is its committer, without which nothing becomes durable.

    A store that has no room, or is out of reach, is tried again until it answers: nothing is lost, writes wait, reads
    of a machine block its thread, and `trouble` says why. `end` lets them give up, for a process that stops. What is
    damaged is not tried again. Once it runs, nothing reads it in trio's thread: whoever answers someone uses `read`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._trouble: StoreError | None = None
        self._busy_since_s: float | None = None
        self.damage: StoreDamaged | None = None
        """The first damage that was found."""
        self.commits = 0
        self._running = False
        self._readers = trio.CapacityLimiter(READERS)
        self._asked: set[trio.CancelScope] = set()
        self._lock = threading.Lock()
        self._queue: deque[Sequence[Write]] = deque()
        self._pending: dict[str, dict[bytes, _Pending]] = {}
        self._put = 0
        self._done = 0
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._eager = 0
        """The last batch that is not to wait for company."""
        self._lazy_until_s = math.inf
        self._work = trio.Event()
        self._changed = trio.Event()

    # -- reads, from any thread ----------------------------------------------------------------------------------

    def get(self, table: str, key: bytes) -> bytes | None:
        """The bytes as last put. Raises `StoreError`."""
        self._check_thread()
        with self._lock:
            pending = self._pending.get(table, {}).get(key)
        return self._patiently(lambda: self.store.get(table, key)) if pending is None else pending.value

    def scan(
        self, table: str, start: bytes = b"", limit: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Rows in order as in `Store.scan`, with what was put over what is stored."""
        self._check_thread()
        with self._lock:
            held = {key: each.value for key, each in self._pending.get(table, {}).items()}
        return overlaid(held, self._stored(table, start, reverse), start, limit, reverse)

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
        self._check_thread()
        while True:
            try:
                return read()
            except StoreDamaged as error:
                raise self._noted(error) from None
            except StoreError as error:
                if self._ended.is_set():
                    raise  # the process stops, and its store may be closed already
                self._note(error)
                if not _patient.get() or self._ended.wait(RETRY_S):
                    raise

    async def read(self, look: Callable[..., T], *arguments: object) -> T:
        """What `look` finds in the store, or in what reads it, in a thread of its own.

        For whoever answers someone: it never waits for a store that is away. Raises what `look` does and `StoreError`,
        `StoreSlow` after `READ_S`.
        """

        def impatiently() -> T:
            _patient.set(False)
            return look(*arguments)

        with self.asked():
            try:
                return await trio.to_thread.run_sync(impatiently, abandon_on_cancel=True, limiter=self._readers)
            except RowLost as lost:
                raise self._lost(lost) from None
        raise AssertionError("asked() raises where it cuts something off")

    @contextmanager
    def asked(self, within_s: float = READ_S, slow: Callable[[], StoreError] = StoreSlow) -> Iterator[None]:
        """A bound for what answers someone: `slow` is raised after `within_s`, and when the process stops."""
        if self._ended.is_set():
            raise slow()
        with trio.move_on_after(within_s) as scope:
            self._asked.add(scope)
            try:
                yield
            finally:
                self._asked.discard(scope)
        if scope.cancelled_caught:
            raise slow()

    async def when(self, loaded: trio.Event, within_s: float = READ_S) -> None:
        """Wait for what a task reads from the store before anybody can be answered. Raises `StoreError`: what is wrong
        with the store, at once, since that task has ended or waits itself; `StoreSlow` after `within_s`."""
        with self.asked(within_s):
            while not loaded.is_set():
                error = self.damage or self.trouble
                if error is not None:
                    raise error
                with trio.move_on_after(WHEN_S):
                    await loaded.wait()

    async def read_when_there(self, look: Callable[..., T], *arguments: object) -> T:
        """What `look` finds, for a task that can do nothing without: it waits while the store is away.

        Raises `StoreDamaged`, and what `look` does.
        """
        try:
            return await trio.to_thread.run_sync(look, *arguments, abandon_on_cancel=True)
        except StoreError:
            if self._ended.is_set():
                await trio.sleep_forever()  # the process stops; whoever stops it cancels this
            raise
        except RowLost as lost:
            raise self._lost(lost) from None
        except Refusal as refusal:
            # Nobody's bytes but the store's own: a machine never lets a refusal of what others sent out.
            if refusal.code is not Code.MALFORMED:
                raise
            raise self._noted(StoreDamaged(f"a row cannot be read: {refusal}")) from None

    def _lost(self, lost: RowLost) -> StoreDamaged:
        return self._noted(StoreDamaged(str(lost), lost.table, lost.key))

    @property
    def trouble(self) -> StoreError | None:
        """Why the store could not be used the last time, or that it takes long now."""
        since_s = self._busy_since_s
        if self._trouble is None and since_s is not None and time.monotonic() - since_s > SLOW_S:
            return StoreSlow()
        return self._trouble

    def _check_thread(self) -> None:
        """A read may take forever; in trio's own thread everything else would stand still meanwhile."""
        assert not (self._running and trio.lowlevel.in_trio_run()), "a store is read in a worker thread only"

    @property
    def ended(self) -> bool:
        """Whether the process stops."""
        return self._ended.is_set()

    def end(self) -> None:
        """Let reads that wait for the store give up: the process stops."""
        self._ended.set()
        self._notify()
        for scope in self._asked:
            scope.cancel()

    def _note(self, trouble: StoreError | None) -> None:
        """Remember what the last use of the store came to; say so where that has changed."""
        before, self._trouble = self._trouble, trouble
        if trouble is not None and (before is None or before.code != trouble.code):
            _log.warning("%s: %s", trouble.sentence, trouble.detail)
        elif trouble is None and before is not None:
            _log.info("the store can be used again")

    def _noted(self, damage: StoreDamaged) -> StoreDamaged:
        if self.damage is None:
            self.damage = damage
            _log.error("%s: %s. To do: %s", damage.sentence, damage.detail, damage.remedy)
        return damage

    def tables(self) -> list[str]:
        """Names of the tables that hold something, in order."""
        self._check_thread()
        with self._lock:
            waiting = [name for name, rows in self._pending.items() if rows]
        # Of a table with deletions on their way only its rows tell whether any are left.
        return sorted({*self.store.tables()} - {*waiting} | {name for name in waiting if any(self.scan(name, limit=1))})

    # -- writes, from the trio thread ----------------------------------------------------------------------------

    def put(self, writes: Iterable[Write], lazily: bool = False) -> int:
        """Let a batch of writes be seen at once and queue it; returns the ticket to wait for.

        What is put `lazily` waits for company, `LAZY_S` at most: for what can be found again after a crash.
        """
        batch = tuple(writes)
        with self._lock:
            self._put += 1
            for table, key, value in batch:
                self._pending.setdefault(table, {})[key] = _Pending(self._put, value)
        self._queue.append(batch)
        if lazily:
            self._lazy_until_s = min(self._lazy_until_s, time.monotonic() + LAZY_S)
        else:
            self._hurry(self._put)
        return self._put

    def _hurry(self, ticket: int) -> None:
        """Commit that batch, and all before it, as soon as possible."""
        self._eager = max(self._eager, ticket)
        self._work.set()

    def _due(self) -> bool:
        """Whether something is to be committed now."""
        return bool(self._queue) and (self._done < self._eager or time.monotonic() >= self._lazy_until_s)

    async def durable(self, ticket: int) -> None:
        """Wait until the batch of that ticket, and all before it, are durable.

        Raises what ended the committer, damage that a commit met, and `StoreSlow` when the process stops before.
        """
        while self._done < ticket:
            self._hurry(ticket)
            if self._ended.is_set():
                raise StoreSlow
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
        """Commit what is put, forever. Cancelled, it stops between two commits; a commit is never torn."""
        self._running, self._failure = True, None
        task_status.started()
        try:
            while True:
                while not self._due():
                    self._work = trio.Event()
                    with trio.move_on_after(LOOK_S) as idle:
                        await self._work.wait()
                    if idle.cancelled_caught:
                        await self._look()
                try:
                    await self._commit(self._batches())
                except StoreDamaged as damage:
                    # What is damaged is not tried again, and nothing may be written out of order: the store is read
                    # from now on, and whoever waits for a write is told.
                    self._failure = damage
                    self._notify()
                    await trio.sleep_forever()
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._running = False
            # Nobody commits any more: whoever waits, be it shielded from cancellation, must not do so forever.
            self._failure = self._failure or StoreSlow()
            self._notify()

    async def _look(self) -> None:
        """A service that has nothing to write must not find out late that its store is away, or another process's."""
        try:
            await self._in_thread(self.store.look)
        except StoreOther:
            raise
        except StoreDamaged as error:
            self._noted(error)
        except StoreError as error:
            self._note(error)
        else:
            self._note(None)

    async def _in_thread(self, work: Callable[[], object]) -> None:
        """Do something with the store. Cancelled, it waits a little for the end of that, and no longer."""
        ended = threading.Event()
        self._busy_since_s = time.monotonic()

        def to_its_end() -> None:
            try:
                work()
            finally:
                ended.set()

        try:
            await trio.to_thread.run_sync(to_its_end, abandon_on_cancel=True)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(ended.wait, LAST_COMMIT_S)
            raise
        finally:
            self._busy_since_s = None

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
                await self._in_thread(lambda: self.store.write(writes))
                break
            except StoreOther:
                raise  # what is another process's now is never tried again
            except StoreDamaged as error:
                raise self._noted(error) from None
            except StoreError as error:
                self._note(error)
                await trio.sleep(RETRY_S)
        self._note(None)
        self.commits += 1
        self._done += len(batches)
        for _ in batches:
            self._queue.popleft()
        self._lazy_until_s = time.monotonic() + LAZY_S if self._queue else math.inf
        with self._lock:
            for table, key, _ in writes:
                rows = self._pending[table]
                if key in rows and rows[key].number <= self._done:
                    del rows[key]
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
