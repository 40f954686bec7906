"""Execution shared between the nodes of one process: each block is executed by its builder and by one validator.

Judging is a pure function of the parent's ledger and the block. Every node that holds an equal parent (the same state
root) gets the first one's result, and is charged for the signatures all the same, so the machines cannot tell, and a
run with `share_execution = false`, where each node executes for itself, has the same trace hash. A node whose ledger
has strayed has another root, shares nothing and is found out as before. A node that started from its own store, or from
a snapshot, executes for itself from then on.
"""

from __future__ import annotations

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Transaction
from lucid.chain.votes import Vote
from lucid.ledger.state import Ledger, Reader
from lucid.ledger.turn import Turn
from lucid.ledger.validation import Built, Validator
from sim.meteredcrypto import MeteredCrypto

REMEMBERED_BLOCKS = 512


class SharedLedger(Ledger):
    """A ledger that other nodes hold too: its tree is never let go of piecemeal."""

    __slots__ = ()

    @classmethod
    def of(cls, ledger: Ledger, parent: Ledger | None) -> SharedLedger:
        """The same ledger over another node's parent, which must be equal."""
        shared = cls.__new__(cls)
        for name in Ledger.__slots__:
            setattr(shared, name, getattr(ledger, name))
        shared.parent = parent
        if parent is not None:
            shared.reader = parent.reader
        return shared

    def settle(self) -> None:
        """See `Ledger`."""
        self.parent = None
        self.rows = {}
        self._changed = {}


class SharedValidator(Validator):
    """A validator for all nodes of a simulated network."""

    def __init__(self, genesis: Genesis, crypto: MeteredCrypto) -> None:
        super().__init__(genesis, crypto)
        self._metered = crypto
        self._judged: dict[tuple[bytes, bytes], tuple[Block, SharedLedger, int]] = {}
        self._first: SharedLedger | None = None

    def first(self, reader: Reader) -> Ledger:
        """See `Validator`."""
        if self._first is None:
            self._first = SharedLedger.of(super().first(reader), None)
        shared = SharedLedger.of(self._first, None)
        shared.reader = reader
        return shared

    def build(
        self,
        parent: Ledger,
        parent_hash: bytes,
        turn: Turn,
        certificate: Certificate | None,
        view: int,
        tick: int,
        vrf_proof: bytes,
        late_votes: tuple[Vote, ...],
        candidates: tuple[Transaction, ...],
    ) -> Built:
        """See `Validator`; what is built is never remembered, so that a validator executes it again."""
        built = super().build(parent, parent_hash, turn, certificate, view, tick, vrf_proof, late_votes, candidates)
        if _from_store(parent):
            return built
        return built._replace(ledger=SharedLedger.of(built.ledger, parent))

    def judge(self, block: Block, parent: Ledger, parent_hash: bytes, turn: Turn) -> Ledger:
        """See `Validator`."""
        if _from_store(parent):
            return super().judge(block, parent, parent_hash, turn)
        place = (parent.root, block.header.hash)
        known = self._judged.get(place)
        if known is not None and (known[0] is block or known[0] == block):
            self._metered.spent_us += known[2]
            return SharedLedger.of(known[1], parent)
        before_us = self._metered.spent_us
        ledger = super().judge(block, parent, parent_hash, turn)
        if len(self._judged) >= REMEMBERED_BLOCKS:
            del self._judged[next(iter(self._judged))]
        self._judged[place] = (block, SharedLedger.of(ledger, None), self._metered.spent_us - before_us)
        return SharedLedger.of(ledger, parent)


def _from_store(ledger: Ledger) -> bool:
    """Whether a ledger, or one that it stands on, was read from a node's own store, after a restart or a snapshot.

    Such a tree is in memory in part. The rest is as of that node's last final block, which another node's is not.
    """
    return not isinstance(ledger, SharedLedger) and ledger.core.head.height > 0
