"""Fingerprints of nodes: equal for nodes that will do the same from here on, whatever way led there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from harness.explore.replica import Half, Replica
from harness.explore.setting import Setting
from lucid.chain.codec import encode
from lucid.chain.genesis import Genesis
from lucid.chain.validators import ValidatorSet
from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import Ledger
from lucid.ledger.validation import Validator
from lucid.machines.effects import RESEND_TIMER
from lucid.machines.engine.polls import Polls
from lucid.machines.forktree import ForkNode, ForkTree
from lucid.machines.limits import Limits
from lucid.machines.manager.pool import ProposalPool
from lucid.machines.votelog import VoteLog
from sim.crypto import ModeledCrypto

SHARED = (Setting, Genesis, ModeledCrypto, Limits, Validator)
UNORDERED = (ForkTree, ProposalPool, VoteLog, Half)
"""Classes whose tables are looked up or sorted, never walked in the order in which they grew."""

LEFT_OUT = frozenset((
    ("Forgeries", "_counted"), ("Forgeries", "_unasked"), ("Syncing", "_posed"),
    ("Standings", "_answered"), ("Serving", "_served"), ("Sources", "_rates"),
    ("CertificateBook", "peer_views"), ("Replica", "sent"), ("Replica", "facts"), ("Replica", "points"),
    ("Engine", "admission"), ("Proposer", "_request"), ("Manager", "sightings"),
))  # fmt: skip
"""What decides nothing within a scope: quotas, which are never used up; whom a repeat goes to; what is only shown to
people; and the mempool, as blocks hold no more than their leader's own heartbeat."""


def fingerprint(replica: Replica, stores_only: bool = False) -> bytes:
    """16 bytes of what a node is, or of its stores alone. A ledger is known by its root, a block by its hash."""
    walker = _Walker(replica.engine.key)
    if stores_only:
        walker.walk((replica.place, replica.crashes, [half.disk for half in replica.halves]))
    else:
        walker.walk(replica)
    return blake2b(b"".join(walker.parts), digest_size=16).digest()


class _Walker:
    """Walks an object and all that it holds; `parts` tell it from others. `own` is the node's key."""

    def __init__(self, own: bytes) -> None:
        self.parts: list[bytes] = []
        self._own = own
        self._ordered = True
        self._seen: dict[int, int] = {}

    def walk(self, value: Any) -> None:
        """Add what tells a value apart."""
        kind = type(value)
        way = _WAYS.get(kind)
        if way is None:
            way = _WAYS[kind] = _way(kind)
        way(self, value)

    def plain(self, value: Any) -> None:
        """A number, bytes, a text, a member of an enumeration or nothing."""
        self.parts.append(repr(value).encode())

    def shared(self, value: Any) -> None:
        """What all nodes share."""
        self.parts.append(type(value).__name__.encode())

    def record(self, value: Struct) -> None:
        """A frozen value that has one encoding."""
        self.parts.append(type(value).__name__.encode() + encode(value))

    def ledger(self, value: Ledger) -> None:
        """A ledger by its root, and whether the store holds it."""
        self.parts.append(b"ledger%d" % (value.parent is None) + value.root)

    def block(self, value: ForkNode) -> None:
        """A block of the tree by its hash and its parent's, and what view notarized it."""
        parent = value.parent
        self.parts.append(b"block%d" % value.certified + value.hash + (b"" if parent is None else parent.hash))

    def validators(self, value: ValidatorSet) -> None:
        """A set of validators by its keys."""
        self.parts.append(b"".join(value.keys))

    def polls(self, polls: Polls) -> None:
        """Of the votes that were counted the node's own: those of others are heard again with every quorum."""
        for view, poll in sorted(polls._polls.items()):
            for kind, votes in enumerate(poll.votes):
                if any(vote.signer == self._own for vote in votes.values()):
                    self.parts.append(b"own%d/%d" % (view, kind))

    def store(self, store: MemoryStore) -> None:
        """All that is stored, in order."""
        self.parts.append(encode([(table, list(store.scan(table))) for table in store.tables()]))

    def items(self, values: Iterable[Any]) -> None:
        """One value after the other."""
        found = list(values)
        self.parts.append(b"[%d" % len(found))
        for each in found:
            self.walk(each)

    def set(self, values: Iterable[Any]) -> None:
        """A set, sorted."""
        self.items(sorted(values))

    def table(self, table: dict[Any, Any]) -> None:
        """A table, in the order in which it grew unless its owner's tables have none."""
        self.parts.append(b"{%d" % len(table))
        for key, each in table.items() if self._ordered else sorted(table.items(), key=_key):
            if key != RESEND_TIMER:
                self.walk(key)
                self.walk(each)

    def thing(self, value: Any) -> None:
        """An object by its class and fields; one that was seen before by when it was."""
        seen = self._seen.get(id(value))
        if seen is not None:
            self.parts.append(b"@%d" % seen)
            return
        self._seen[id(value)] = len(self._seen)
        name, ordered = type(value).__name__, self._ordered
        self.parts.append(name.encode())
        for field in _fields(value):
            if (name, field) not in LEFT_OUT:
                self.parts.append(field.encode())
                self._ordered = not isinstance(value, UNORDERED)
                self.walk(getattr(value, field))
        self._ordered = ordered


Way = Callable[[_Walker, Any], None]

_KINDS: tuple[tuple[tuple[type, ...], Way], ...] = (
    ((type(None), int, str, bytes, Enum), _Walker.plain),
    (SHARED, _Walker.shared),
    ((Struct,), _Walker.record),
    ((Ledger,), _Walker.ledger),
    ((ForkNode,), _Walker.block),
    ((ValidatorSet,), _Walker.validators),
    ((Polls,), _Walker.polls),
    ((MemoryStore,), _Walker.store),
    ((tuple, list, deque), _Walker.items),
    ((set, frozenset), _Walker.set),
    ((dict,), _Walker.table),
)
"""How values are walked, by the first of these classes that they are of."""

_WAYS: dict[type, Way] = {}


def _way(kind: type) -> Way:
    return next((way for kinds, way in _KINDS if issubclass(kind, kinds)), _Walker.thing)


def _key(item: tuple[Any, Any]) -> Any:
    return item[0]


def _fields(value: Any) -> list[str]:
    fields = set(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        fields.update(name for name in getattr(kind, "__slots__", ()) if hasattr(value, name))
    return sorted(fields)
