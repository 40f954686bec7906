"""The scrubber: reads every chunk again within a period, in an order of its own, and leaves the disk free in between.

A chunk's rank is a keyed hash of its id, so the order is random, differs from node to node, and needs no list. The
first byte of the rank is one of 256 buckets; the bucket that was read longest ago comes next. What is kept is when
each bucket was read, and the rank within the current one: a crash repeats a few chunks.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from typing import NamedTuple

import msgspec
import trio

from lucid.api.answers import ScrubStatus
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import LucidError
from lucid.chain.fields import Natural
from lucid.services.chunks.chunks import Chunks
from lucid.services.process.disk import DiskFailed
from lucid.services.process.driver import clock_ms
from lucid.storage.chunkrow import CHUNK_TABLE
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from lucid.storage.findings import Finding

SCRUB_TABLE = "scrub"
STATE_KEY = b"state"
BUCKETS = 256
SPREAD = 9, 10
"""A round is planned for nine tenths of the period: the rest is for what comes between."""
MAX_PAUSE_MS = 30 * 86_400_000
FOREVER_MS = 2**53 - 1
SAVE_S = 10.0
LOOK_S = 30.0
"""The clock is looked at so often, because it may be put forward or back."""
RETRY_S = 60.0
"""How long a folder that cannot be read is left alone."""

_log = logging.getLogger("lucid.scrub")


class ScrubState(Record):
    """What outlives a process. Times are ms since the Unix epoch; counts are since the store began."""

    salt: bytes
    first_ms: Natural
    """When this was made: nothing is late before there was time to read it."""
    passed_ms: tuple[Natural, ...]
    began_ms: Natural
    """When the current bucket, or the last one, was begun."""
    cursor: bytes
    """The last rank that was read of the bucket under way; empty between two."""
    bucket: Natural
    paused_until_ms: Natural
    run_until_ms: Natural
    """A run that was asked for ends then, whatever is left."""
    run_before_ms: Natural
    """A run reads what was last read before this."""
    chunks_read: Natural
    bytes_read: Natural
    corrupted_found: Natural
    missing_found: Natural


class Pace(NamedTuple):
    """How fast: everything within `period_ms`, and after each read `tranquility` times as long at rest."""

    period_ms: int
    tranquility: int


class Scrub:
    """The scrubber of one node's chunks."""

    def __init__(self, chunks: Chunks, store: DurableStore, pace: Pace) -> None:
        self._chunks = chunks
        self._store = store
        self._pace = pace
        self._state = _fresh(clock_ms())
        self._loaded = trio.Event()
        self._changed = trio.Event()
        self._reading = False
        self._saved_s = self._since_s = 0.0
        self.trouble: str | None = None

    # -- what is asked of it -------------------------------------------------------------------------------------

    async def start(self, max_duration_ms: int, max_age_ms: int) -> None:
        """End a pause and read, at once, what was last read longer than `max_age_ms` ago; for `max_duration_ms` at
        most, 0: until it is done. Durable when this returns. Raises `StoreError`."""
        await self._store.when(self._loaded)
        now = clock_ms()
        until = now + max_duration_ms if max_duration_ms else FOREVER_MS
        await self._tell(paused_until_ms=0, run_until_ms=until, run_before_ms=max(0, now - max_age_ms))

    async def pause(self, max_duration_ms: int) -> None:
        """Read nothing for so long; it goes on by itself. Durable when this returns. Raises `StoreError`."""
        await self._store.when(self._loaded)
        now = clock_ms()
        await self._tell(paused_until_ms=now + min(max_duration_ms, MAX_PAUSE_MS), run_until_ms=0, run_before_ms=0)

    def status(self) -> ScrubStatus:
        """Where it stands."""
        state, now = self._state, clock_ms()
        left = sum(self._wanted(state, bucket, now) for bucket in range(BUCKETS))
        paused = self._paused_until(now)
        return ScrubStatus(
            state="paused" if paused else "reading" if self._reading else "waiting",
            period_ms=self._pace.period_ms,
            all_read_since_ms=min(state.passed_ms),
            late=self.late,
            run_left_percent=-(-100 * left // BUCKETS),
            paused_until_ms=paused,
            chunks_read=state.chunks_read,
            bytes_read=state.bytes_read,
            corrupted_found=state.corrupted_found,
            missing_found=state.missing_found,
        )

    @property
    def late(self) -> bool:
        """Whether something was not read for longer than the period, and this process had time to."""
        grace_ms = self._pace.period_ms // 8
        overdue_ms = clock_ms() - max(min(self._state.passed_ms), self._state.first_ms) - self._pace.period_ms
        had_time = self._since_s and trio.current_time() - self._since_s > min(3_600.0, grace_ms / 1000)
        return bool(overdue_ms > grace_ms and had_time)

    def read_since(self, chunk: bytes, stored_ms: int) -> bool:
        """Whether a chunk has been read again since it was stored, as far as whole buckets tell."""
        return self._state.passed_ms[_rank(self._state.salt, chunk)[0]] > stored_ms

    # -- what it does --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read, forever."""
        self._since_s = trio.current_time()
        try:
            await self._load()
            while self._store.damage is None:
                try:
                    await self._once()
                except DiskFailed:
                    await self._rest(RETRY_S)  # whoever looks at the disk says so
                except OSError as error:
                    self.trouble = f"chunks cannot be read again: {error.strerror or error}"
                    _log.warning("%s", self.trouble)
                    await self._rest(RETRY_S)
                else:
                    self.trouble = None
        except StoreDamaged:
            return  # the store has logged it and says so

    async def _load(self) -> None:
        data = await self._store.read_when_there(self._store.get, SCRUB_TABLE, STATE_KEY)
        if data is not None:
            try:
                found = decode(data, ScrubState)
            except LucidError as error:
                raise StoreDamaged(f"a row cannot be read: {error}", SCRUB_TABLE, STATE_KEY) from None
            if len(found.passed_ms) == BUCKETS:
                self._state = found
        else:
            await self._store.write([(SCRUB_TABLE, STATE_KEY, encode(self._state))])
        self._loaded.set()

    async def _once(self) -> None:
        """Read what is due, or wait for a moment."""
        while self._chunks.reader.suspects and not self._paused_until(clock_ms()):
            await self._read(self._chunks.reader.suspects.pop())
        wait_s = self._wait_s(clock_ms())
        if wait_s > 0:
            await self._rest(min(wait_s, LOOK_S))
        else:
            await self._pass()

    def _wait_s(self, now: int) -> float:
        """Seconds until the next bucket is due."""
        state = self._state
        if paused := self._paused_until(now):
            return (paused - now) / 1000
        bucket = self._next_bucket(now)
        if state.cursor or self._wanted(state, bucket, now):
            return 0.0
        round_ms = self._pace.period_ms * SPREAD[0] // SPREAD[1]
        due = min(min(state.began_ms, now) + round_ms // BUCKETS, min(state.passed_ms[bucket], now) + round_ms)
        return (due - now) / 1000

    def _next_bucket(self, now: int) -> int:
        """The one under way, or the one that was read longest ago. A time ahead of the clock counts as now."""
        state = self._state
        if state.cursor:
            return state.bucket
        return min(range(BUCKETS), key=lambda each: (min(state.passed_ms[each], now), each))

    @staticmethod
    def _wanted(state: ScrubState, bucket: int, now: int) -> bool:
        """Whether a run that was asked for still has to read a bucket."""
        return now < state.run_until_ms and state.passed_ms[bucket] < state.run_before_ms

    def _paused_until(self, now: int) -> int:
        """When the pause ends; 0: there is none. One from a clock that was ahead is no longer than any."""
        until = self._state.paused_until_ms
        return min(until, now + MAX_PAUSE_MS) if until > now else 0

    async def _pass(self) -> None:
        """Read one bucket, or go on with it; leaves off when it is paused."""
        now, state = clock_ms(), self._state
        bucket = self._next_bucket(now)
        if not state.cursor:
            self._change(began_ms=now, bucket=bucket)
        self._reading = True
        try:
            for rank, chunk in await self._store.read_when_there(self._of_bucket, bucket, state.cursor):
                if self._paused_until(clock_ms()):
                    return
                await self._read(chunk)
                self._change(cursor=rank)
                self._save(SAVE_S)
        finally:
            self._reading = False
        passed = self._state.passed_ms
        self._change(cursor=b"", passed_ms=(*passed[:bucket], self._state.began_ms, *passed[bucket + 1 :]))
        self._save(1.0)

    def _of_bucket(self, bucket: int, after: bytes) -> list[tuple[bytes, bytes]]:
        """Ranks and ids of a bucket's chunks in order, above `after`."""
        salt, found = self._state.salt, []
        for chunk, _ in self._store.scan(CHUNK_TABLE):
            rank = _rank(salt, chunk)
            if rank[0] == bucket and rank > after:
                found.append((rank, chunk))
        return sorted(found)

    async def _read(self, chunk: bytes) -> None:
        """Read one chunk and rest."""
        began = trio.current_time()
        found = await self._chunks.inspection.check(chunk)
        if found is not None:
            finding, size = found
            state = self._state
            self._change(
                chunks_read=state.chunks_read + 1,
                bytes_read=state.bytes_read + size,
                corrupted_found=state.corrupted_found + (finding is Finding.CORRUPTED),
                missing_found=state.missing_found + (finding is Finding.MISSING),
            )
        await trio.sleep((trio.current_time() - began) * self._pace.tranquility)

    async def _rest(self, wait_s: float) -> None:
        with trio.move_on_after(wait_s):
            await self._changed.wait()

    async def _tell(self, **values: int) -> None:
        self._change(**values)
        await self._store.write([(SCRUB_TABLE, STATE_KEY, encode(self._state))])
        self._changed.set()
        self._changed = trio.Event()

    def _change(self, **values: object) -> None:
        self._state = msgspec.structs.replace(self._state, **values)

    def _save(self, after_s: float) -> None:
        """Keep the progress, some time: what is lost of it is read once more."""
        if trio.current_time() - self._saved_s >= after_s:
            self._saved_s = trio.current_time()
            self._store.put([(SCRUB_TABLE, STATE_KEY, encode(self._state))], lazily=True)


def _fresh(now: int) -> ScrubState:
    return ScrubState(
        salt=secrets.token_bytes(16),
        first_ms=now,
        passed_ms=(0,) * BUCKETS,
        began_ms=0,
        cursor=b"",
        bucket=0,
        paused_until_ms=0,
        run_until_ms=0,
        run_before_ms=0,
        chunks_read=0,
        bytes_read=0,
        corrupted_found=0,
        missing_found=0,
    )


def _rank(salt: bytes, chunk: bytes) -> bytes:
    return hashlib.blake2b(chunk, digest_size=16, key=salt).digest()
