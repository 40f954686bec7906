"""A manager alone, for tests that speak for everyone else themselves, and what such tests look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple, assert_never

from msgspec import structs

from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.ledger.memory import MemoryStore
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    BeginFetch,
    Broadcast,
    CancelTimer,
    Effect,
    Effects,
    EndFetch,
    Forward,
    Observe,
    Provided,
    Received,
    Refused,
    Respond,
    Send,
    SetTimer,
    Started,
    Store,
    Submit,
    TakePart,
    TimerFired,
)
from lucid.machines.limits import Limits
from lucid.machines.manager import Manager
from lucid.machines.messages import Message, encode_message
from tests.builders import CRYPTO, make_genesis, secret

NODES = 4
NO_SNAPSHOTS = Limits(snapshot_blocks=1_000_000)
TINY: dict[str, Any] = {
    "block_interval_ms": 1_000,
    "slot_duration_ms": 3_000,
    "slot_timeout_ms": 1_000,
    "max_clock_drift_ms": 100,
    "epoch_slots": 3,
    "max_block_bytes": 65_536,
}
"""Views of a second, epochs of nine views."""


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
        "proposals": dict(manager.pool.judged),
        "waiting": dict(manager.pool.waiting),
    }


class Peer:
    """A manager alone over a store of its own. What it wants sent is kept in `outbox` as (receiver or None, bytes)."""

    def __init__(
        self,
        genesis: Genesis,
        number: int = 0,
        store: MemoryStore | None = None,
        peers: Iterable[int] | None = None,
        limits: Limits = NO_SNAPSHOTS,
    ) -> None:
        self.store = MemoryStore() if store is None else store
        self.genesis = genesis
        self.now = genesis.genesis_time_ms
        self.key = key_of(number)
        others = [each for each in range(NODES) if each != number] if peers is None else peers
        self.peers = tuple([key_of(each) for each in others])
        self.limits = limits
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
                case CancelTimer():
                    self.timers.pop(effect.timer, None)
                case Forward() | Observe():
                    pass  # read from the steps
                case Respond() | Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                    raise AssertionError("a manager answers no client")
                case _:
                    assert_never(effect)
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

    def limited(self, **changes: int) -> Peer:
        """The same peer, started again with other limits."""
        self.limits = structs.replace(self.limits, **changes)
        self.manager = self._manager()
        return self

    def restarted(self) -> Manager:
        """The manager that would start from the store as it is."""
        return self._manager()

    def copy(self) -> Peer:
        """A peer restarted from a copy of the store."""
        number = next(each for each in range(64) if key_of(each) == self.key)
        other = Peer(self.genesis, number, copy_of(self.store), (), self.limits)
        other.peers = self.peers
        other.manager = other._manager()
        other.now = self.now
        return other

    def _manager(self) -> Manager:
        return Manager(self.key, self.genesis, CRYPTO, self.store, self.peers, self.limits)


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


def told(effects: Effects, kind: type[Any]) -> list[Any]:
    """What the engine is told of one kind."""
    return [effect.event for effect in effects if isinstance(effect, Forward) and isinstance(effect.event, kind)]


def sends(effects: Effects) -> list[tuple[bytes | None, Message]]:
    """What is sent, to whom; None for everyone."""
    out: list[tuple[bytes | None, Message]] = []
    for effect in effects:
        if isinstance(effect, Send):
            out.append((effect.peer, decode_message(effect.data)))
        elif isinstance(effect, Broadcast):
            out.append((None, decode_message(effect.data)))
    return out


def everything(peer: Peer) -> tuple[Any, ...]:
    """All that a refused message must leave as it is."""
    return contents(peer.store), facts(peer.manager), passing(peer.manager)
