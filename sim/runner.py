"""The SimPy driver of one machine: hands it events in virtual time, and performs its effects in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from lucid.ledger.rowstore import RowLost
from lucid.machines.effects import (
    REPLICATING,
    Broadcast,
    CancelTimer,
    Effect,
    Effects,
    Forward,
    Observe,
    PeerJoined,
    Received,
    Respond,
    Send,
    SetTimer,
    Store,
    Submit,
    TimerFired,
)
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.messages import VoteMessage
from lucid.machines.performing import complete
from lucid.machines.replication import Replicator
from lucid.storage.journal import JournalWriter
from sim.clock import Moment
from sim.commits import Commit, Commits
from sim.disk import Damaged, Disk
from sim.machinepace import MachinePace

if TYPE_CHECKING:
    from sim.node import Node


NOTHING_MORE: Mapping[type, Callable[[Any], None]] = MappingProxyType({})
"""What the machines of consensus do beside what all do."""


class Alarm(Moment):
    """A timer of a machine on its way."""

    __slots__ = ("setting",)

    def __init__(self, callback: Callable[[Any], None], setting: SetTimer) -> None:
        super().__init__(callback)
        self.setting = setting


class Busy(NamedTuple):
    """A place in a machine's queue of effects: what stands behind it waits until the core is done, at `until_us`."""

    until_us: int


class Gone:
    """Stands for the other machine of a node while that is down: what it is told is lost."""

    def step(self, event: Any) -> None:
        """See `Runner`."""


class Runner:
    """One machine of a node: hands it events, applies its writes, performs its effects in order.

    Effects queue behind a write that is on its way to the disk, and while the machine's core is busy with signatures.
    """

    def __init__(
        self,
        node: Node,
        machine: Manager | Engine | Replicator,
        disk: Disk,
        journal: JournalWriter | None,
        replicating: Mapping[type, Callable[[Any], None]] = NOTHING_MORE,
    ) -> None:
        self.node = node
        self.clock = node.world.clock
        self.machine = machine
        self._manager = machine if isinstance(machine, Manager) else None
        self._engine = machine if isinstance(machine, Engine) else None
        self.handle: Callable[[int, Any], Effects] = machine.handle
        self.disk = disk
        self.other: Runner | Gone = self
        self.alive = True
        self._journal = journal
        self._running = False
        self._busy_until = 0
        self._queue: deque[Effect | Busy] = deque()
        self._timers: dict[str, Alarm] = {}
        self._crypto = node.world.crypto
        self._taps = [tap for tap in node.world.taps if tap.machine is type(machine)]
        self._meters = node.world.meters
        self._commits = None if node.disk_time is None else Commits(self.clock, node.device_us)
        """Where writes wait for a device that has a model; else each takes its time by itself."""
        self._handed: deque[Commit] = deque()
        """By write that no effect has waited for yet, the commit that it is in."""
        costs = node.world.costs
        self._pace = None if costs is None else MachinePace(costs, node.world.stream(f"pace/{node.index}"), self.clock)
        watched = any(tap.votes for tap in node.world.taps)
        self._direct = journal is None and self._pace is None and not watched
        """Whether what it tells the other machine is heard at once, and nobody needs to know of it."""
        table: dict[type, Callable[[Any], None]] = {
            Forward: self._forward,
            Send: self._send,
            Broadcast: self._broadcast,
            SetTimer: self._set_timer,
            CancelTimer: self._cancel_timer,
            Respond: self._respond,
            Observe: self._observe,
        }
        left = [kind for kind in REPLICATING if kind not in replicating]
        self._performers = complete({**table, **replicating}, elsewhere=(Store, Submit, *left))

    def receive(self, event: Received | PeerJoined) -> None:
        """Let the manager have what came from a peer. A vote, as most of it is, goes on to the engine at once: the same
        as `step`, with none of what rarely happens on the way.
        """
        node, engine = self.node, self.other
        now = self.clock._now  # the property costs a call, and this is the path of every delivery
        watched = node.on_effect or not self._direct
        manager = self._manager
        busy = self._running or self._busy_until > now
        if not isinstance(event, Received) or watched or busy or type(engine) is not Runner or manager is None:
            self.step(event)
            return
        clock_ms = (now + node.clock_us) // 1000
        message = manager.passed_on(clock_ms, event)
        if message is None:
            self.step(event)
        elif type(message) is VoteMessage:
            engine.count(now, clock_ms, message)

    def count(self, now: int, clock_ms: int, vote: VoteMessage) -> None:
        """Let the engine count a vote: `step`, where nobody watches."""
        engine = self._engine
        assert engine is not None, "votes are counted by engines"
        try:
            effects = engine.count(clock_ms, vote)
        except (Damaged, RowLost):
            self.node.met_damage()
            return
        spent_us = self._crypto.spent_us
        if spent_us:
            if self._meters:
                self._charge(now, vote)
            else:
                free = self._busy_until
                self._busy_until = (free if free > now else now) + spent_us * self.node.slowness
                self._crypto.spent_us = 0
        if effects:
            self._follow(now, effects)

    def step(self, event: Any) -> None:
        """Let the machine handle an event now."""
        now = self.clock._now
        clock_ms = (now + self.node.clock_us) // 1000
        try:
            effects = self.handle(clock_ms, event)
        except (Damaged, RowLost):
            self.node.met_damage()
            return
        if self._journal is not None:
            self._journal.write(clock_ms, event, effects)
        for tap in self._taps:
            tap(self, clock_ms, event, effects)
        if self._crypto.spent_us:
            self._charge(now, event)
        if effects:
            self._follow(now, effects)

    def _follow(self, now: int, effects: Effects) -> None:
        """Perform what a machine wants done."""
        effect = effects[0]
        direct = not self._running and self._busy_until <= now and self._pace is None
        if type(effect) is not Forward or len(effects) != 1 or not direct:
            self._perform(now, effects)
            return
        # Many events just pass from one machine to the other.
        if self.node.on_effect:
            changed = self.node.hooked(self, effect)
            if type(changed) is not Forward:
                return
            effect = changed
        if type(self.other) is Runner:
            self.other.step(effect.event)

    def _charge(self, now: int, event: Any) -> None:
        """The core is busy for what the event cost in signatures."""
        crypto, node = self._crypto, self.node
        for meter in node.world.meters:
            meter(node, event, crypto.spent_us)
        free = self._busy_until
        self._busy_until = (free if free > now else now) + crypto.spent_us * node.slowness
        crypto.spent_us = 0

    def _perform(self, now: int, effects: Effects) -> None:
        """Perform effects in order, after those that wait."""
        for effect in effects:
            if type(effect) is Store:
                self.disk.write(effect.writes)
                if self._pace is not None:
                    self._pace.put()
                elif self._commits is not None:
                    self._hand_over(now)
        if self._busy_until > now:
            # Its effects leave when the core is done with this event, whatever else waits before or after it.
            self._queue.append(Busy(self._busy_until))
        self._queue.extend(effects)
        if not self._running:
            self._run()

    def _hand_over(self, now: int) -> None:
        """A write goes to the device once the core is done with the event that made it."""
        if self._busy_until > now:
            self.clock.after(self._busy_until - now, self._put)
        else:
            self._put()

    def _put(self, _: Moment | None = None) -> None:
        if self.alive:
            assert self._commits is not None, "it has a device"
            self._handed.append(self._commits.put())

    @property
    def waiting(self) -> bool:
        """Whether effects wait for the disk or the core."""
        return bool(self._queue)

    @property
    def behind_us(self) -> int:
        """How long the core still takes for what it was given."""
        return max(0, self._busy_until - self.clock.now_us)

    def kill(self) -> None:
        """The process is gone: nothing that it had in hand happens any more."""
        self.alive = False
        self._timers.clear()
        self._queue.clear()
        self._running = True

    def clock_changed(self) -> None:
        """Timers are set by the node's own clock, so they come due at other moments now."""
        for alarm in list(self._timers.values()):
            self._set_timer(alarm.setting)

    def _run(self) -> None:
        self._running = True
        queue, performers = self._queue, self._performers
        while queue:
            effect = queue.popleft()
            kind = type(effect)
            if kind is Busy:
                wait_us = effect.until_us - self.clock._now  # type: ignore[union-attr]
                if wait_us > 0:
                    self.node.cpu_wait_us += wait_us
                    self.clock.after(wait_us, self._resume)
                    return
                continue
            if self.node.on_effect:
                changed = self.node.hooked(self, effect)  # type: ignore[arg-type]
                if changed is None:
                    continue
                effect = changed
                kind = type(effect)
            if kind is Forward and self._pace is None:
                self.other.step(effect.event)  # type: ignore[union-attr]
            elif kind is Store:
                if self._store_waits():
                    return
            else:
                performers[kind](effect)
        if self.alive:
            self._running = False

    def _store_waits(self) -> bool:
        """Whether the write at the head of the queue is on its way now; else it is durable."""
        commit = self._handed.popleft() if self._pace is None and self._commits is not None else None
        if self.node.full:
            self.node.until_room(self._synced)
            return True
        if commit is not None:
            return self._waits_for(commit)
        wait_us = self.node.durable_us(None if self._pace is None else self._pace.wait_us())
        if wait_us:
            self.clock.after(wait_us, self._synced)
            return True
        self.disk.sync()
        return False

    def _waits_for(self, commit: Commit) -> bool:
        """Whether the commit that the write at the head of the queue is in has to be waited for."""
        if commit.done:
            self.node.waited_for_disk(0)
            self.disk.sync()
        else:
            commit.then.append(partial(self._committed, self.clock._now))
        return not commit.done

    def _committed(self, since_us: int) -> None:
        if self.alive:
            self.node.waited_for_disk(self.clock._now - since_us)
        self._synced()

    def _resume(self, moment: Moment | None = None) -> None:
        if self.alive and not self.node.waits(self._resume):
            self._run()

    def _synced(self, moment: Moment | None = None) -> None:
        if self.alive and not self.node.waits(self._synced):
            self.disk.sync()
            self._run()

    def _forward(self, effect: Forward) -> None:
        """Hand the other machine an event, which takes its time."""
        assert self._pace is not None, "else it hears at once"
        self._pace.tell(self._heard, effect.event)

    def _heard(self, event: Any) -> None:
        """The other machine hears what this one told it, unless either has ended."""
        if self.alive and not self.node.waits(partial(self._heard, event)):
            self.other.step(event)

    def _send(self, effect: Send) -> None:
        receivers = self.node.world.places.get(effect.peer)
        if receivers is not None:
            self.node.world.network.send(self.node.index, self.node.key, receivers, effect.data)

    def _broadcast(self, effect: Broadcast) -> None:
        world = self.node.world
        world.network.send(self.node.index, self.node.key, self.node.peers, effect.data)

    def _set_timer(self, effect: SetTimer) -> None:
        node = self.node
        at_us = effect.at_ms * 1000 - node.clock_us
        alarm = Alarm(self._fire, effect)
        self._timers[effect.timer] = alarm
        self.clock.put(alarm, max(at_us, self.clock.now_us))

    def _cancel_timer(self, effect: CancelTimer) -> None:
        self._timers.pop(effect.timer, None)

    def _fire(self, alarm: Alarm) -> None:
        name = alarm.setting.timer
        if self._timers.get(name) is alarm and not self.node.waits(partial(self._fire, alarm)):
            del self._timers[name]
            self.step(TimerFired(name))

    def _respond(self, effect: Respond) -> None:
        self.node.world.responded(self.node, effect)

    def _observe(self, effect: Observe) -> None:
        self.node.world.observed(self.node, effect.fact)
