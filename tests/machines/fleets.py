"""Small networks of whole nodes for the tests of the machines, in virtual time; each manager's steps are recorded.

Unlike in `sim`, every message takes the same time and every store is instant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any, assert_never

from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Payload
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    BeginFetch,
    Broadcast,
    CancelTimer,
    Effect,
    Effects,
    EndFetch,
    EngineJoined,
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
    Submitted,
    TakePart,
    TimerFired,
)
from lucid.machines.engine import Engine
from lucid.machines.limits import Limits
from lucid.machines.manager import Manager
from lucid.machines.votelog import new_log
from tests.builders import CRYPTO, Chain, secret
from tests.machines.peers import NO_SNAPSHOTS, NODES, Peer, Step, copy_of, key_of, writes_of

LATENCY_MS = 10

Allow = Callable[[int, int, bytes], bool]


class _Machine:
    """One machine of a site: effects are performed in order, and what it is told meanwhile waits its turn."""

    def __init__(self, site: Site, machine: Manager | Engine, store: MemoryStore) -> None:
        self.site = site
        self.store = store
        self.machine = machine
        self.handle: Callable[[int, Any], Effects] = machine.handle
        self.other = self
        self.timers: dict[str, int] = {}
        self._queue: deque[Effect] = deque()
        self._running = False

    def step(self, event: Any) -> None:
        now = self.site.fleet.now
        effects = self.handle(now, event)
        if isinstance(self.machine, Manager):
            self.site.steps.append(Step(now, event, effects))
        for store in writes_of(effects):
            self.store.write(store.writes)
        self._queue.extend(effects)
        if self._running:
            return
        self._running = True
        while self._queue:
            self._perform(self._queue.popleft())
        self._running = False

    def _perform(self, effect: Effect) -> None:
        fleet, site = self.site.fleet, self.site
        match effect:
            case Forward():
                self.other.step(effect.event)
            case Send():
                fleet.post(site.number, fleet.numbers.get(effect.peer), effect.data)
            case Broadcast():
                fleet.post(site.number, None, effect.data)
            case SetTimer():
                self.timers[effect.timer] = fleet.put(max(effect.at_ms, fleet.now), self._fire, effect.timer)
            case CancelTimer():
                self.timers.pop(effect.timer, None)
            case Store() | Observe() | Respond():
                pass  # written before; read from the steps
            case Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                raise AssertionError("neither session anchoring nor a data chain is here")
            case _:
                assert_never(effect)

    def _fire(self, number: int, timer: str) -> None:
        if self.timers.get(timer) == number:
            del self.timers[timer]
            self.step(TimerFired(timer))


class Site:
    """One node of a fleet: two stores, and two machines while it is up."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.fleet = fleet
        self.number = number
        self.key = key_of(number)
        self.store = MemoryStore()
        self.log = MemoryStore()
        self.log.write([new_log()])
        self.steps: list[Step] = []
        self.machines: tuple[_Machine, _Machine] | None = None

    def start(self) -> None:
        """Start both machines from what the stores hold."""
        genesis = self.fleet.genesis
        peers = tuple([key for key, number in self.fleet.numbers.items() if number != self.number])
        manager = Manager(self.key, genesis, CRYPTO, self.store, peers, self.fleet.limits)
        engine = Engine(secret(f"node {self.number}"), genesis, CRYPTO, self.log, self.fleet.limits)
        pair = _Machine(self, manager, self.store), _Machine(self, engine, self.log)
        pair[0].other, pair[1].other = pair[1], pair[0]
        self.machines = pair
        for machine in reversed(pair):
            machine.step(Started())

    def restart_engine(self) -> None:
        """The engine's process ends and starts again, while the manager's goes on."""
        assert self.machines is not None
        manager, gone = self.machines
        gone.timers.clear()
        fresh = Engine(secret(f"node {self.number}"), self.fleet.genesis, CRYPTO, self.log, self.fleet.limits)
        engine = _Machine(self, fresh, self.log)
        manager.other, engine.other = engine, manager
        self.machines = manager, engine
        engine.step(Started())
        manager.step(EngineJoined())

    def stop(self) -> None:
        """The process is gone, and what it had in hand."""
        assert self.machines is not None
        for machine in self.machines:
            machine.timers.clear()
        self.machines = None

    @property
    def manager(self) -> Manager:
        """The manager that runs."""
        assert self.machines is not None
        machine = self.machines[0].machine
        assert isinstance(machine, Manager)
        return machine


class Fleet:
    """Nodes that talk over links which take `LATENCY_MS`; `allow` says of (sender, receiver, bytes) what passes."""

    def __init__(self, genesis: Genesis, limits: Limits = NO_SNAPSHOTS, numbers: Iterable[int] = range(NODES)) -> None:
        self.genesis = genesis
        self.signer = Chain(genesis)
        self.limits = limits
        self.now = genesis.genesis_time_ms
        self.numbers = {key_of(number): number for number in numbers}
        self.allow: Allow = lambda sender, receiver, data: True
        self._moments: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self.sites = {number: Site(self, number) for number in self.numbers.values()}

    def run(self, ms: int) -> Fleet:
        """Go on for a while."""
        until = self.now + ms
        while self._moments and self._moments[0][0] <= until:
            self.now, number, action, arguments = heappop(self._moments)
            action(number, *arguments)
        self.now = until
        return self

    def start(self) -> Fleet:
        """Start every node."""
        for site in self.sites.values():
            site.start()
        return self

    def submit(self, number: int, payload: Payload) -> None:
        """Hand a payload to a node's engine, as a client does."""
        machines = self.sites[number].machines
        assert machines is not None
        machines[1].step(Submitted(self._count, payload))

    def put(self, at_ms: int, action: Callable[..., None], *arguments: Any) -> int:
        """Let something happen at a moment; returns the moment's number, which the action is told first."""
        self._count += 1
        heappush(self._moments, (at_ms, self._count, action, arguments))
        return self._count

    def post(self, sender: int, receiver: int | None, data: bytes) -> None:
        """Put a message on its way to one node, or to all others."""
        for number in self.sites if receiver is None else (receiver,):
            if number in self.sites and number != sender and self.allow(sender, number, data):
                self.put(self.now + LATENCY_MS, self._deliver, number, Received(key_of(sender), data))

    def _deliver(self, _: int, number: int, event: Received) -> None:
        machines = self.sites[number].machines
        if machines is not None:
            machines[0].step(event)

    def peer(self, number: int) -> Peer:
        """A manager alone that holds what a node of the fleet holds now."""
        peer = Peer(self.genesis, number, copy_of(self.sites[number].store), limits=self.limits)
        peer.now = self.now
        return peer
