"""A node in virtual time: its two machines, each with its driver, its disks, and what faults do to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from lucid.chain.versions import RULES_KNOWN
from lucid.ledger.rowstore import RowLost
from lucid.machines.effects import (
    Effect,
    EngineJoined,
    PeerJoined,
    Received,
    Started,
)
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.replicamessages import is_replica_message
from lucid.machines.votelog import new_log
from sim.disk import Damaged, Disk
from sim.disktime import DiskTime
from sim.faulthooks import EffectHook, StartHook
from sim.faults.fault import Fault
from sim.runner import Gone, Runner

if TYPE_CHECKING:
    from sim.datachain import DataChain
    from sim.world import World


class Node:
    """A Pi: its disks, its clock, and its two machines while it is up."""

    def __init__(self, world: World, index: int, secret: bytes, name: str, place: str) -> None:
        self.world = world
        self.index = index
        self.secret = secret
        self.name = name
        self.place = place
        self.key = world.crypto.public_key(secret)
        self.peers: list[int] = []
        self.disk_us = world.scenario.disk_us
        self.stalled_us = 0
        """How much longer each write takes, by a fault of the disk."""
        self.slowness = 1
        """How many times as long as usual its core takes: by `slowed`, which faults say."""
        self.slowed: list[int] = []
        self.full = 0
        """How many faults keep its disk from taking writes."""
        self.disk_time: DiskTime | None = None
        self.clock_us = world.epoch_ms * 1000
        """What the clock shows at virtual time zero: its reading is this and the virtual time."""
        self.latest_us = 0
        """The latest time that the clock ever showed before it was put forward or back."""
        self.engine_disk = Disk()
        self.manager_disk = Disk(world.rows)
        self.engine_disk.write([new_log()])
        self.engine_disk.sync()
        self.manager: Runner | None = None
        self.engine: Runner | None = None
        self.on_effect: tuple[EffectHook, ...] = ()
        self.on_start: tuple[StartHook, ...] = ()
        self.old_releases: list[int] = []
        """The newest rules that older releases know which faults have it run; of several it runs the oldest."""
        self.rotten: list[Fault] = []
        """The faults that have damaged its disks."""
        self.up_since_us = 0
        self.cpu_wait_us = self.disk_wait_us = self.stores = 0
        self.data: DataChain | None = None
        """Its data chain, in a world with chunks."""
        self._held: list[Fault] = []
        self._paused: list[Fault] = []
        self._waiting: deque[Callable[[], None]] = deque()
        self._until_room: list[Callable[[], None]] = []

    def connect(self) -> None:
        """Join the network, still down."""
        self.peers = [each.index for each in self.world.nodes if each.key != self.key]
        self.world.network.receivers.append(self._deaf)

    @property
    def up(self) -> bool:
        """Whether the node runs, both machines of it."""
        return self.manager is not None and self.engine is not None and not self._paused

    @property
    def behind_us(self) -> int:
        """How long its core still takes for what it was given, the slower machine of both."""
        return max([each.behind_us for each in (self.manager, self.engine) if each is not None], default=0)

    @property
    def rules_known(self) -> int:
        """The newest version of the chain's rules that its release knows."""
        return min(self.old_releases, default=RULES_KNOWN)

    @property
    def outdated(self) -> bool:
        """Whether the chain goes on under rules that this node's release does not know."""
        return self.manager is not None and self.manager.machine.chain.outdated  # type: ignore[union-attr]

    def restart(self) -> None:
        """Stop both processes at once and start them again; nothing if the node is down."""
        if self.manager is not None:
            self.crash()
            self.start()

    def start(self) -> None:
        """Start both machines from what the disks hold; the node stays down if that cannot be read, or cannot be."""
        try:
            self._start()
        except (Damaged, RowLost):
            self.met_damage()

    def met_damage(self) -> None:
        """A machine met what it cannot read: the node stops, until what damaged its disk is over and it has a new one.

        Of a real node, what needs none of it would still answer.
        """
        self.hold(self.rotten[-1])

    def _start(self) -> None:
        world = self.world
        for hook in self.on_start:
            hook(self)
        peers = tuple(dict.fromkeys([world.nodes[index].key for index in self.peers]))
        manager = Manager(
            key=self.key,
            genesis=world.genesis,
            crypto=world.crypto,
            reader=self.manager_disk,
            peers=peers,
            limits=world.limits,
            validator=world.validator,
            rules_known=self.rules_known,
        )
        self.manager = Runner(
            self, manager, self.manager_disk, world.journal(self, "manager", self.manager_disk, peers)
        )
        self._load_engine(self.manager)
        self.up_since_us = world.clock.now_us
        world.trace.power(world.clock.now_us, self.index, True)
        world.network.receivers[self.index] = self._receiver(self.manager)
        if world.network.connections is not None:
            world.network.connections.started(self.index)
        assert self.engine is not None
        self.engine.step(Started())
        self.manager.step(Started())
        if self.data is not None and self.manager is not None:
            self.data.start()

    def _receiver(self, manager: Runner) -> Callable[[Received | PeerJoined], None]:
        """Who takes what arrives: the manager, or its data chain where the message is for that."""
        data = self.data
        if data is None:
            return manager.receive

        def receive(event: Received | PeerJoined) -> None:
            if isinstance(event, Received) and is_replica_message(event.data):
                data.hear(event)
            else:
                manager.receive(event)

        return receive

    def _load_engine(self, manager: Runner) -> Runner:
        world = self.world
        peers = tuple(dict.fromkeys([world.nodes[index].key for index in self.peers]))
        engine = Engine(self.secret, world.genesis, world.crypto, self.engine_disk, world.limits, self.rules_known)
        runner = Runner(self, engine, self.engine_disk, world.journal(self, "engine", self.engine_disk, peers))
        self.engine = manager.other = runner
        runner.other = manager
        return runner

    def stop_engine(self) -> None:
        """Only the engine's process ends, at once: what it had not synced is lost. The manager goes on."""
        if self.manager is None or self.engine is None:
            return
        self.engine.kill()
        self.engine_disk.crash()
        self.engine, self.manager.other = None, Gone()

    def start_engine(self) -> None:
        """Start the engine beside a manager that went on; nothing if it runs, or if the manager is down too."""
        if self.manager is None or self.engine is not None:
            return
        engine = self._load_engine(self.manager)
        self.up_since_us = self.world.clock.now_us
        engine.step(Started())
        self.manager.step(EngineJoined())

    def pause(self, fault: Fault) -> None:
        """Both processes stop where they are; what comes meanwhile waits for them. Nothing if the node is down."""
        if self.manager is not None:
            self._paused.append(fault)
            self.world.network.receivers[self.index] = self._wait_for

    def unpause(self, fault: Fault) -> None:
        """A fault that stopped the processes lets go; after the last one they go on with what waited."""
        left = [each for each in self._paused if each is not fault]
        freed = bool(self._paused) and not left
        self._paused = left
        if freed and self.manager is not None:
            self.world.network.receivers[self.index] = self._receiver(self.manager)
            waiting, self._waiting = self._waiting, deque()
            for each in waiting:
                each()

    def waits(self, callback: Callable[[], None]) -> bool:
        """Whether the processes are stopped: then they do this when they go on."""
        if self._paused:
            self._waiting.append(callback)
        return bool(self._paused)

    def _wait_for(self, event: Received | PeerJoined) -> None:
        self._waiting.append(lambda: self.world.network.receivers[self.index](event))

    def until_room(self, written: Callable[[], None]) -> None:
        """A write waits, and what stands behind it, until the disk takes writes again."""
        self._until_room.append(written)

    def room_again(self) -> None:
        """A fault that kept the disk from taking writes is over; after the last one those that waited are safe."""
        self.full -= 1
        if not self.full:
            written, self._until_room = self._until_room, []
            for each in written:
                each()

    def durable_us(self, paced_us: int | None) -> int:
        """Microseconds until a write is durable, counted as waited for: `paced_us` by measured costs, else by its disk
        if it is handed over now."""
        wait_us = self.device_us() if paced_us is None else paced_us + self.stalled_us
        self.waited_for_disk(wait_us)
        return wait_us

    def device_us(self) -> int:
        """Microseconds until a write that is handed to the disk now is durable."""
        wait_us = self.disk_us if self.disk_time is None else self.disk_time.durable_us(self.world.clock.now_us)
        return wait_us + self.stalled_us

    def waited_for_disk(self, wait_us: int) -> None:
        """Count how long effects stood behind a write."""
        self.stores += 1
        self.disk_wait_us += wait_us

    def shift_clock(self, us: int) -> None:
        """Put the clock forward, or back."""
        self.latest_us = max(self.latest_us, self.world.clock.now_us + self.clock_us)
        self.clock_us += us
        for runner in (self.manager, self.engine, None if self.data is None else self.data.runner):
            if runner is not None:
                runner.clock_changed()

    @property
    def held(self) -> bool:
        """Whether a fault keeps this node down."""
        return bool(self._held)

    def hold(self, fault: Fault) -> None:
        """Crash, and stay down until every fault that holds this node has released it."""
        if not any(each is fault for each in self._held):
            self._held.append(fault)
        self.crash()

    def hold_for(self, fault: Fault, down_ms: int) -> None:
        """Hold, and release after so long."""
        self.hold(fault)
        self.world.clock.after(down_ms * 1000, lambda _: self.release(fault))

    def release(self, fault: Fault) -> None:
        """A fault no longer keeps this node down; the last one to let go starts it."""
        held = [each for each in self._held if each is not fault]
        freed = bool(self._held) and not held
        self._held = held
        if freed and self.world.started:
            self.start()

    def hooked(self, runner: Runner, effect: Effect) -> Effect | None:
        """What faults make of an effect that is about to be performed."""
        for hook in self.on_effect:
            changed = hook(runner, effect)
            if changed is None or not runner.alive:
                return None
            effect = changed
        return effect

    def crash(self) -> None:
        """Stop at once; what was not synced is lost."""
        if self.manager is None:
            return
        self.world.trace.power(self.world.clock.now_us, self.index, False)
        for runner in (self.manager, self.engine):
            if runner is not None:
                runner.kill()
        for disk in (self.manager_disk, self.engine_disk):
            disk.crash()
        if self.data is not None:
            self.data.crash()
        if self.world.validator is not None:
            self.world.validator.leaves(self.manager_disk)
        self.manager = self.engine = None
        self._paused.clear()
        self._waiting.clear()
        self._until_room.clear()
        self.world.network.receivers[self.index] = self._deaf
        if self.world.network.connections is not None:
            self.world.network.connections.stopped(self.index)

    def _deaf(self, event: Received | PeerJoined) -> None:
        """A node that is down does not hear what arrives."""
