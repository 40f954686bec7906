"""The trio driver: runs a machine for real, and performs its effects in order, each after the writes before it.

A machine steps in a worker thread, one event at a time, so that a long step does not keep the service from answering.
Its writes are seen at once and durable later; meanwhile it handles further events, whose writes go into the same
commit. What a write is followed by waits until it is durable: that is the crash safety of the whole system.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import trio

from lucid.machines.effects import CancelTimer, Effect, Effects, SetTimer, Store, TimerFired
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged, StoreError
from lucid.storage.journal import JournalWriter

INBOX = 1_024
"""Events that wait for a machine; whoever has more for it waits too."""
MAX_EFFECTS = 100_000
"""Effects that wait for the store; a service with more is not going to recover."""
CLOCK_CHECK_S = 1.0
"""Timers look at the clock again this often, because it may be put forward or back."""

_log = logging.getLogger("lucid.journal")

Performer = Callable[[Any], None]
DRIVEN = (Store, SetTimer, CancelTimer)
"""Effects that the driver performs itself."""
T = TypeVar("T")


class Machine(Protocol):
    """What a driver runs."""

    def handle(self, now: int, event: Any) -> Effects:
        """See `docs/architecture.md`."""
        ...


def clock_ms() -> int:
    """This node's clock: milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Driver:
    """Runs one machine. `performers` say what to do with each effect but writes and timers; they do not wait."""

    def __init__(
        self,
        machine: Machine,
        store: DurableStore,
        performers: Mapping[type, Performer],
        journal: JournalWriter | None = None,
    ) -> None:
        self.machine = machine
        self.store = store
        self._performers: dict[type, Performer] = {
            **performers,
            SetTimer: self._set_timer,
            CancelTimer: self._cancel_timer,
        }
        self._journal = journal
        self._events, self._inbox = trio.open_memory_channel[tuple[Any, Callable[[], None] | None]](INBOX)
        self._effects: deque[tuple[Effect, int]] = deque()
        self._work = trio.Event()
        self._timers: dict[str, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._stepping = trio.Lock()
        self.stopped: StoreDamaged | None = None
        """Set once the machine has met damage in its store: it takes no further event."""

    async def deliver(self, event: Any, handled: Callable[[], None] | None = None) -> None:
        """Hand an event to the machine; waits while too many others do. `handled` is called after its step."""
        await self._events.send((event, handled))

    async def run(self, first: Any, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Handle `first` and then what is delivered, forever. What the machine raises is raised here, but for damage
        in its store: that stops the machine, not the service."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._perform)
            await self._step(first)
            task_status.started()
            async for event, handled in self._inbox:
                await self._step(event)
                if handled is not None:
                    handled()

    async def inspect(self, look: Callable[[], T]) -> T:
        """What `look` finds in the machine, in a worker thread, between two of its steps. Raises `StoreError`."""
        with self.store.asked():
            async with self._stepping:
                if self.stopped is not None:
                    raise self.stopped
                return await self.store.read(look)
        raise AssertionError("asked() raises where it cuts something off")

    async def _step(self, event: Any) -> None:
        if self.stopped is not None:
            return
        try:
            async with self._stepping:
                # A step that is cut off is as one that a crash cut off: nothing of it was done.
                effects = await self.store.read_when_there(self._handle, event)
        except StoreDamaged as damage:
            self.stopped = damage
            return
        for effect in effects:
            ticket = self.store.put(effect.writes) if isinstance(effect, Store) else 0
            self._effects.append((effect, ticket))
        assert len(self._effects) < MAX_EFFECTS, "the store does not keep up"
        self._work.set()

    def _handle(self, event: Any) -> Effects:
        now = clock_ms()
        effects = self.machine.handle(now, event)
        if self._journal is not None:
            try:
                self._journal.write(now, event, effects)
                self._journal.flush()
            except OSError as error:  # of a full disk, say: a journal is not worth the node
                _log.warning("the journal ends here: %s", error.strerror)
                self._journal = None
        return effects

    async def _perform(self) -> None:
        while True:
            while self._effects:
                effect, ticket = self._effects.popleft()
                if ticket:
                    await self._durable(ticket)
                else:
                    self._performers[type(effect)](effect)
            self._work = trio.Event()
            await self._work.wait()

    async def _durable(self, ticket: int) -> None:
        try:
            await self.store.durable(ticket)
        except StoreError:
            if self.store.ended:
                await trio.sleep_forever()  # the process stops; whoever stops it cancels this
            raise

    def _set_timer(self, effect: SetTimer) -> None:
        self._cancel_timer(effect)
        assert self._nursery is not None
        scope = self._timers[effect.timer] = trio.CancelScope()
        self._nursery.start_soon(self._wait, scope, effect)

    def _cancel_timer(self, effect: SetTimer | CancelTimer) -> None:
        scope = self._timers.pop(effect.timer, None)
        if scope is not None:
            scope.cancel()

    async def _wait(self, scope: trio.CancelScope, effect: SetTimer) -> None:
        with scope:
            while (left_ms := effect.at_ms - clock_ms()) > 0:
                await trio.sleep(min(left_ms / 1000, CLOCK_CHECK_S))
            if self._timers.get(effect.timer) is scope:
                del self._timers[effect.timer]
                await self.deliver(TimerFired(effect.timer))
