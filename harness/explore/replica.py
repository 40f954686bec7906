"""A node that stands still between events: its two real machines, their stores, timers and clock.

It does what a driver does, with stores that take no time: effects in order, a store before what follows it. A crash
stands between any two effects that leave a mark, which are stores and sendings.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple, assert_never

from harness.explore.setting import Setting
from lucid.machines.effects import (
    GAP_TIMER,
    REPAIR_TIMER,
    RESEND_TIMER,
    SPREAD_TIMER,
    SYNC_TIMER,
    BeginFetch,
    Broadcast,
    CancelTimer,
    Effect,
    EndFetch,
    Fact,
    Forward,
    Observe,
    Provided,
    Received,
    Respond,
    Send,
    SetTimer,
    Started,
    Store,
    Submit,
    TakePart,
    TimerFired,
)
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.votelog import new_log
from sim.disk import Disk

REPEATS = frozenset((RESEND_TIMER, SYNC_TIMER, REPAIR_TIMER, GAP_TIMER, SPREAD_TIMER))
"""Timers that only say again what was said, or ask again for what was sent: they wait until nothing else can happen."""


class SentMessage(NamedTuple):
    """Bytes that left a node: to one peer by its key, or to all."""

    peer: bytes | None
    data: bytes


class _Cut(Exception):
    """The node crashes here."""


class Half:
    """One machine of a node with its store, its timers by name, and the effects that wait their turn."""

    def __init__(self, machine: Manager | Engine, disk: Disk) -> None:
        self.machine = machine
        self.disk = disk
        self.timers: dict[str, int] = {}
        self.queue: deque[Effect] = deque()
        self.running = False


class Replica:
    """A node at a `place`. `sent` and `facts` are what came of the last event; `points` how many marks it left."""

    def __init__(self, setting: Setting, place: int) -> None:
        self.setting = setting
        self.place = place
        self.now = setting.start_ms
        self.crashes = 0
        self.sent: list[SentMessage] = []
        self.facts: list[Fact] = []
        self.points = 0
        self._cut: int | None = None
        log = Disk()
        log.write([new_log()])
        log.sync()
        self._start(Disk(), log)

    @property
    def manager(self) -> Manager:
        """The manager."""
        assert isinstance(self._manager.machine, Manager)
        return self._manager.machine

    @property
    def engine(self) -> Engine:
        """The engine."""
        assert isinstance(self._engine.machine, Engine)
        return self._engine.machine

    @property
    def halves(self) -> tuple[Half, Half]:
        """Manager and engine."""
        return self._manager, self._engine

    def timers(self) -> list[str]:
        """The timers that come due first, without those that only repeat."""
        due = [(at, name) for half in self.halves for name, at in half.timers.items() if name not in REPEATS]
        return sorted(name for at, name in due if at == min(due)[0])

    def hear(self, messages: list[tuple[bytes, bytes]], cut: int | None = None) -> None:
        """Take (key of the peer, bytes) one after the other; with `cut`, crash after so many marks, and start again."""
        self._do([(self._manager, Received(peer, data)) for peer, data in messages], cut)

    def fire(self, timer: str, cut: int | None = None) -> None:
        """Let a timer fire, at its time; see `hear`."""
        half = next(each for each in self.halves if timer in each.timers)
        self.now = max(self.now, half.timers.pop(timer))
        self._do([(half, TimerFired(timer))], cut)

    def crash(self) -> None:
        """Lose what is not synced, and start again from the stores, at once."""
        disks = [half.disk for half in self.halves]
        for disk in disks:
            disk.crash()
        self.crashes += 1
        self._cut = None
        self._start(*disks)

    def _start(self, blocks: Disk, log: Disk) -> None:
        setting, key = self.setting, self.setting.keys[self.place]
        peers = tuple([each for each in setting.keys if each != key])
        manager = Manager(
            key, setting.genesis, setting.crypto, blocks, peers, setting.limits, validator=setting.validator
        )
        engine = Engine(setting.secrets[self.place], setting.genesis, setting.crypto, log, setting.limits)
        self._manager, self._engine = Half(manager, blocks), Half(engine, log)
        self._step(self._engine, Started())
        self._step(self._manager, Started())

    def _do(self, events: list[tuple[Half, Any]], cut: int | None) -> None:
        self.sent, self.facts, self.points, self._cut = [], [], 0, cut
        try:
            for half, event in events:
                self._step(half, event)
        except _Cut:
            self.crash()

    def _step(self, half: Half, event: Any) -> None:
        effects = half.machine.handle(self.now, event)
        for effect in effects:
            if type(effect) is Store:
                half.disk.write(effect.writes)
        half.queue.extend(effects)
        if half.running:
            return
        half.running = True
        while half.queue:
            self._perform(half, half.queue.popleft())
        half.running = False

    def _perform(self, half: Half, effect: Effect) -> None:
        match effect:
            case Forward():
                self._step(self._engine if half is self._manager else self._manager, effect.event)
            case Store():
                self._mark()
                half.disk.sync()
            case Send():
                self._mark()
                self.sent.append(SentMessage(effect.peer, effect.data))
            case Broadcast():
                self._mark()
                self.sent.append(SentMessage(None, effect.data))
            case SetTimer():
                half.timers[effect.timer] = effect.at_ms
            case CancelTimer():
                half.timers.pop(effect.timer, None)
            case Observe():
                self.facts.append(effect.fact)
            case Respond() | Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                raise AssertionError("nobody asked")
            case _:
                assert_never(effect)

    def _mark(self) -> None:
        if self.points == self._cut:
            raise _Cut
        self.points += 1
