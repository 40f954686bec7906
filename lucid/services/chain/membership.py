"""Who there is as a block manager shows it: the registered nodes."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.printable import printable
from lucid.ledger.rows import WEIGHTS_KEY, evidence_key
from lucid.ledger.state import ROW_TABLE
from lucid.ledger.weights import entry_of, node_weights
from lucid.machines.chain import Chain
from lucid.poot.credits import standing_of
from lucid.storage.durable import DurableStore

MAX_DOUBLE_VOTES = 16
"""Of one node that are shown."""


class DoubleVote(msgspec.Struct, frozen=True):
    """Evidence on the chain that a key signed two votes in one view that no honest validator signs both."""

    epoch: int
    view: int


class MemberView(msgspec.Struct, frozen=True):
    """A registered node as the chain holds it. Its double votes, newest first, cost it its turns before the epoch
    `evidence_until_epoch` (0: never any). It weighs `weight` as chunks are placed, by the `tickets` that it declared
    last (0: never any)."""

    node: str
    name: str
    validator: bool
    retired: bool
    uptime_ppm: int
    live_score: int
    tickets: int
    weight: int
    double_votes: tuple[DoubleVote, ...]
    evidence_until_epoch: int


class Membership:
    """The members of a chain, as of its last final block."""

    def __init__(self, chain: Chain, store: DurableStore) -> None:
        self._chain = chain
        self._store = store

    def members(self, here: bytes) -> dict[str, Any]:
        """The nodes that are registered and not retired, what each weighs, how many of them have a chunk, and what the
        node `here` declared last, as of the last final block."""
        root = self._chain.tree.root
        core = root.ledger.core
        weights, row = node_weights(root.ledger), root.ledger.row(WEIGHTS_KEY)
        entry = next((entry_of(row, n) for n, each in enumerate(core.roster.members) if each.key == here), None)
        return {
            "members": [key.hex() for key in weights],
            "weights": list(weights.values()),
            "replication_factor": core.rules.replication_factor,
            "rules": core.rules.version,
            "height": root.height,
            "declared": None if entry is None else entry.declared,
        }

    def nodes(self) -> list[MemberView]:
        """All nodes ever registered, as of the last final block."""
        core = self._chain.tree.root.ledger.core
        tally, validators = core.tally, self._chain.validators.index
        row = self._chain.tree.root.ledger.row(WEIGHTS_KEY)
        found = []
        for number, member in enumerate(core.roster.members):
            uptime, score = standing_of(tally, number)
            entry = entry_of(row, number)
            found.append(
                MemberView(
                    node=member.key.hex(),
                    name=printable(member.name),
                    validator=member.key in validators,
                    retired=member.retired,
                    uptime_ppm=uptime,
                    live_score=score,
                    tickets=entry.declared if entry.height else 0,
                    weight=entry.weight,
                    double_votes=self._double_votes(number),
                    evidence_until_epoch=tally.evidence_until[number],
                )
            )
        return found

    def _double_votes(self, number: int) -> tuple[DoubleVote, ...]:
        """A member's, as far as the chain holds evidence."""
        first, beyond = evidence_key(number, 0, 0), evidence_key(number + 1, 0, 0)
        rows = self._store.scan(ROW_TABLE, beyond, MAX_DOUBLE_VOTES, reverse=True)
        found = []
        for key, _ in rows:
            if key < first:
                break
            found.append(DoubleVote(int.from_bytes(key[-16:-8], "big"), int.from_bytes(key[-8:], "big")))
        return tuple(found)
