"""Small networks for the tests of the machines: managers and engines over stores in memory, in virtual time.

A `Fleet` runs whole nodes and records what each manager was told and answered. A `Peer` is a manager alone, for tests
that speak for everyone else themselves. Unlike `sim`, every message takes the same time and every store is instant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from heapq import heappop, heappush
from typing import Any, NamedTuple

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Payload, Transaction
from lucid.chain.votes import NOTARIZE, PROPOSE
from lucid.ledger.execution import Turn
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    Broadcast,
    CancelTimer,
    Effect,
    Effects,
    Observe,
    Received,
    Refused,
    Send,
    SetTimer,
    Started,
    Store,
    Submitted,
    Tell,
    TimerFired,
)
from lucid.machines.engine import Engine
from lucid.machines.manager import Manager
from lucid.machines.messages import Message, Proposal, decode_message, encode_message
from lucid.machines.votelog import new_log
from tests.builders import CRYPTO, Chain, make_genesis, secret

NODES = 4
LATENCY_MS = 10
TINY: dict[str, Any] = {
    "block_interval_ms": 1_000,
    "slot_duration_ms": 3_000,
    "slot_timeout_ms": 1_000,
    "max_clock_drift_ms": 100,
    "epoch_slots": 3,
    "max_block_bytes": 65_536,
}
"""Views of a second, epochs of nine views."""

Allow = Callable[[int, int, bytes], bool]


class Step(NamedTuple):
    """One call of a manager: when, what it was told, what it answered."""

    now: int
    event: Any
    effects: Effects


def tiny_genesis(nodes: int = NODES, **parameters: Any) -> Genesis:
    """A chain of "node 0", "node 1", ... with epochs of nine views."""
    return make_genesis(nodes, **{**TINY, **parameters})


def copy_of(store: MemoryStore) -> MemoryStore:
    """Another store that holds the same."""
    other = MemoryStore()
    for table in store.tables():
        other.write([(table, key, value) for key, value in store.scan(table)])
    return other


def contents(store: MemoryStore) -> dict[str, list[tuple[bytes, bytes]]]:
    """All that a store holds."""
    return {table: list(store.scan(table)) for table in store.tables()}


def writes_of(effects: Iterable[Effect]) -> list[Store]:
    """The stores among effects, in order."""
    return [effect for effect in effects if isinstance(effect, Store)]


def refusals(effects: Iterable[Effect]) -> list[Code]:
    """The codes of the refusals among effects, in order."""
    return [effect.fact.code for effect in effects if isinstance(effect, Observe) and isinstance(effect.fact, Refused)]


def facts(manager: Manager) -> dict[str, object]:
    """What a manager holds to be so, in a form that can be compared; all of it must survive a restart."""
    chain, tree = manager.chain, manager.chain.tree
    return {
        "root": tree.root.hash,
        "state": tree.root.ledger.root,
        "epoch": tree.epoch,
        "nodes": {hash_: (node.height, node.certified) for hash_, node in sorted(tree.nodes.items())},
        "certificates": dict(sorted(tree.certificates.items())),
        "best": tree.best.hash,
        "final": chain.final_certificate,
        "validators": chain.validators.keys,
    }


def passing(manager: Manager) -> dict[str, object]:
    """What a manager holds beyond its facts; a refused message changes none of it either."""
    chain, tree = manager.chain, manager.chain.tree
    return {
        "context": chain.context(),
        "wanted": dict(tree.wanted),
        "pending": chain.pending_final,
        "proposals": dict(manager._proposals),
        "waiting": dict(manager._waiting),
    }


class Peer:
    """A manager alone over a store of its own. What it wants sent is kept in `outbox` as (receiver or None, bytes)."""

    def __init__(
        self,
        genesis: Genesis,
        number: int = 0,
        store: MemoryStore | None = None,
        peers: Iterable[int] | None = None,
        snapshot_blocks: int = 1_000_000,
    ) -> None:
        self.store = MemoryStore() if store is None else store
        self.genesis = genesis
        self.now = genesis.genesis_time_ms
        self.key = key_of(number)
        others = [each for each in range(NODES) if each != number] if peers is None else peers
        self.peers = tuple([key_of(each) for each in others])
        self.snapshot_blocks = snapshot_blocks
        self.outbox: list[tuple[bytes | None, bytes]] = []
        self.timers: dict[str, int] = {}
        self.steps: list[Step] = []
        self.manager = self._manager()
        self.step(Started())

    def step(self, event: Any) -> Effects:
        """Let the manager handle an event, and do what a driver does with its effects."""
        effects = self.manager.handle(self.now, event)
        self.steps.append(Step(self.now, event, effects))
        for effect in effects:
            match effect:
                case Store():
                    self.store.write(effect.writes)
                case Send():
                    self.outbox.append((effect.peer, effect.data))
                case Broadcast():
                    self.outbox.append((None, effect.data))
                case SetTimer():
                    self.timers[effect.timer] = effect.at_ms
        return effects

    def hear(self, message: Message | bytes, sender: int = 1) -> Effects:
        """Receive a message from "node N"."""
        data = message if isinstance(message, bytes) else encode_message(message)
        return self.step(Received(key_of(sender), data))

    def asked(self) -> tuple[int, Message]:
        """The last message that this peer sent to one other: to which node's number, and what."""
        receiver, data = next((key, data) for key, data in reversed(self.outbox) if key is not None)
        return next(number for number in range(64) if key_of(number) == receiver), decode_message(data)

    def answer(self, message: Message, sender: int = 0) -> Message:
        """What this peer answers "node N"."""
        self.outbox.clear()
        self.hear(message, sender)
        return self.asked()[1]

    def fire(self, timer: str) -> Effects:
        """Let a timer that was set come due."""
        self.now = max(self.now, self.timers.pop(timer))
        return self.step(TimerFired(timer))

    def restarted(self) -> Manager:
        """The manager that would start from the store as it is."""
        return self._manager()

    def copy(self) -> Peer:
        """A peer restarted from a copy of the store."""
        number = next(each for each in range(64) if key_of(each) == self.key)
        other = Peer(self.genesis, number, copy_of(self.store), (), self.snapshot_blocks)
        other.peers = self.peers
        other.manager = other._manager()
        other.now = self.now
        return other

    def _manager(self) -> Manager:
        return Manager(self.key, self.genesis, CRYPTO, self.store, self.peers, self.snapshot_blocks)


@cache
def key_of(number: int) -> bytes:
    """The key of "node N"."""
    return CRYPTO.public_key(secret(f"node {number}"))


def converse(
    peers: Iterable[Peer], rounds: int = 400, allow: Callable[[bytes, bytes], bool] = lambda sender, receiver: True
) -> int:
    """Carry messages between peers until all are quiet, firing timers when nothing else is left; returns the count.

    `allow` says of (sender, receiver) whether a message passes. Fails when the peers do not come to rest.
    """
    by_key = {peer.key: peer for peer in peers}
    carried = 0
    for _ in range(rounds):
        mail = [(peer, receiver, data) for peer in by_key.values() for receiver, data in peer.outbox]
        for peer in by_key.values():
            peer.outbox = []
        for sender, receiver, data in mail:
            for key in by_key if receiver is None else (receiver,):
                if key != sender.key and key in by_key and allow(sender.key, key):
                    by_key[key].step(Received(sender.key, data))
                    carried += 1
        if not mail:
            due = [(at, peer.key, timer) for peer in by_key.values() for timer, at in peer.timers.items()]
            if not due:
                return carried
            _, key, timer = min(due)
            by_key[key].fire(timer)
    raise AssertionError("the peers go on and on")


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
            case Tell():
                self.other.step(effect.event)
            case Send():
                fleet.post(site.number, fleet.numbers.get(effect.peer), effect.data)
            case Broadcast():
                fleet.post(site.number, None, effect.data)
            case SetTimer():
                self.timers[effect.timer] = fleet.put(max(effect.at_ms, fleet.now), self._fire, effect.timer)
            case CancelTimer():
                self.timers.pop(effect.timer, None)

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
        manager = Manager(self.key, genesis, CRYPTO, self.store, peers, self.fleet.snapshot_blocks)
        engine = Engine(secret(f"node {self.number}"), genesis, CRYPTO, self.log)
        pair = _Machine(self, manager, self.store), _Machine(self, engine, self.log)
        pair[0].other, pair[1].other = pair[1], pair[0]
        self.machines = pair
        for machine in reversed(pair):
            machine.step(Started())

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

    def __init__(
        self, genesis: Genesis, snapshot_blocks: int = 1_000_000, numbers: Iterable[int] = range(NODES)
    ) -> None:
        self.genesis = genesis
        self.signer = Chain(genesis)
        self.snapshot_blocks = snapshot_blocks
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
        peer = Peer(self.genesis, number, copy_of(self.sites[number].store), snapshot_blocks=self.snapshot_blocks)
        peer.now = self.now
        return peer


def proposal(chain: Chain, *candidates: Transaction | Payload, **options: Any) -> Proposal:
    """The next block of a chain, as its leader puts it forward; the chain moves on to it."""
    view = options.get("view") or chain.next_view
    leader, epoch = chain.leader(view).key, chain.turn.epoch
    block = chain.grow(*candidates, **options)
    return Proposal(chain.vote(leader, PROPOSE, chain.hash, view, epoch), block, None)


def again(chain: Chain, block: Block, view: int) -> Proposal:
    """The closing block on the tip of a chain, put forward once more, on its notarisation in its own view."""
    leader = chain.tip.core.roster.members[Turn(chain.tip, chain.parameters, repeat=True).leader(view)].key
    header = block.header
    vote = chain.vote(leader, PROPOSE, header.hash, view, header.epoch)
    return Proposal(vote, block, certificate(chain, NOTARIZE, header.view, header.hash, header.epoch))


def certificate(
    chain: Chain, kind: int, view: int, block: bytes = b"", epoch: int = 0, signers: Iterable[int] = range(NODES)
) -> Certificate:
    """A certificate by the nodes of these numbers, of whatever they may be taken to say."""
    votes = [chain.vote(key_of(number), kind, block, view, epoch) for number in signers]
    keys = sorted(vote.signer for vote in votes)
    signatures = {keys.index(vote.signer): vote.signature for vote in votes}
    return assemble(epoch, view, kind, block, signatures, len(keys))
