"""One chain told by the ledger and by its naive second implementation at once: every difference is an error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from harness.reference.chain import NaiveChain, recount
from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, NOTARIZE, Vote, vote_message
from lucid.ledger.rows import TALLY_KEY
from lucid.ledger.state import Ledger, genesis_ledger, stored_ledger
from lucid.ledger.turn import Turn, closes_epoch
from lucid.ledger.validation import Built, Validator

ROW_TABLE = "row"


class MemoryStore:
    """A `lucid.ledger.rowstore.Reader` over a dict."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, bytes], bytes] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        """See `Reader`."""
        return self.tables.get((table, key))

    def scan(self, table: str, start: bytes = b"") -> Iterable[tuple[bytes, bytes]]:
        """See `Reader`."""
        return sorted((key, value) for (name, key), value in self.tables.items() if name == table and key >= start)

    def write(self, writes: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Store or delete."""
        for table, key, value in writes:
            if value is None:
                self.tables.pop((table, key), None)
            else:
                self.tables[table, key] = value


class Disagreement(AssertionError):
    """The two implementations judge or remember differently."""


class Twin:
    """The tip of one chain in both implementations, and the secrets to sign whatever is offered to them."""

    def __init__(self, genesis: Genesis, crypto: Crypto, secrets: Iterable[bytes]) -> None:
        self.genesis = genesis
        self.crypto = crypto
        self.secrets = {crypto.public_key(secret): secret for secret in secrets}
        self.store = MemoryStore()
        self.validator = Validator(genesis, crypto)
        self.ledger: Ledger = genesis_ledger(genesis, self.store)
        self.naive = NaiveChain(genesis, crypto)
        self.blocks: list[Block] = []
        self.tip = genesis.chain_id
        self._pending = [self.ledger]
        self.turn = Turn(self.ledger, genesis.parameters)
        self.compare()

    @property
    def closed(self) -> bool:
        """Whether the last block closed its epoch."""
        return closes_epoch(self.ledger.core.head, self.genesis.parameters)

    @property
    def epoch(self) -> int:
        """The next block's epoch."""
        return self.ledger.core.head.epoch + self.closed

    def sign(self, key: bytes, message: bytes) -> bytes:
        """A signature by the holder of a public key."""
        return self.crypto.sign(self.secrets[key], message)

    def vote(self, key: bytes, epoch: int, view: int, kind: int, block: bytes) -> Vote:
        """A vote that holds."""
        message = vote_message(self.genesis.chain_id, epoch, view, kind, block)
        return Vote(epoch, view, kind, block, key, self.sign(key, message))

    def certificate(self, absent: Collection[int], later: int = 0) -> Certificate | None:
        """The last block's certificate by all but at most n - q `absent` places; None on genesis.

        A block that closed its epoch is made final `later` views after its own.
        """
        if not self.blocks:
            return None
        head, validators = self.ledger.core.head, self.ledger.validators
        kind, view = (FINALIZE, head.view + later) if self.closed else (NOTARIZE, head.view)
        message = vote_message(self.genesis.chain_id, head.epoch, view, kind, self.tip)
        away = sorted(set(absent))[: len(validators) - validators.quorum]
        signatures = {place: self.sign(key, message) for place, key in enumerate(validators.keys) if place not in away}
        return assemble(head.epoch, view, kind, self.tip, signatures, len(validators))

    def build(
        self,
        view: int,
        tick: int,
        certificate: Certificate | None,
        late_votes: tuple[Vote, ...] = (),
        candidates: tuple[Any, ...] = (),
    ) -> tuple[Block, Built]:
        """The block that the leader of `view` makes."""
        leader = self.naive.leader(view)
        proof = self.crypto.vrf_prove(self.secrets[leader], self.ledger.core.head.beacon)
        built = self.validator.build(
            self.ledger,
            self.tip,
            self.turn,
            certificate=certificate,
            view=view,
            tick=tick,
            vrf_proof=proof,
            late_votes=late_votes,
            candidates=candidates,
        )
        return self.seal(Block(built.header, bytes(64), built.parent_certificate, *built[2:4])), built

    def seal(self, block: Block, **header: Any) -> Block:
        """A block with some header fields changed, signed by whom its header names."""
        changed = structs.replace(block.header, **header)
        if changed.proposer not in self.secrets:
            return structs.replace(block, header=changed)
        return structs.replace(block, header=changed, signature=self.sign(changed.proposer, changed.hash))

    def offer(self, block: Block) -> Code | None:
        """Judge a block by both; returns the code that both refuse it with, or None once both have added it."""
        ledger: list[Ledger] = []
        ours: Code | None = Code.BLOCK_PARENT  # which is for the callers of the validator to find
        if block.header.parent == self.tip:
            ours = _verdict(lambda: ledger.append(self.validator.judge(block, self.ledger, self.tip, self.turn)))
        theirs = _verdict(lambda: self.naive.apply(block))
        if ours != theirs:
            if (ours, theirs) == (None, Code.BLOCK_STATE_ROOT):
                self.naive.apply(block, check_root=False)
                _same_rows({key: ledger[0].row(key) for key in self.naive.rows()}, self.naive.rows())
            where = f"height {block.header.height}, view {block.header.view}"
            raise Disagreement(f"{where}: ledger says {ours!r}, naive says {theirs!r}")
        if ours is not None:
            return ours
        [self.ledger] = ledger
        self._pending.append(self.ledger)
        self.blocks.append(block)
        self.tip = block.header.hash
        self.turn = Turn(self.ledger, self.genesis.parameters)
        self.compare()
        return None

    def flush(self) -> None:
        """Make all blocks so far final: the store must hold what the naive rows say, and nothing else."""
        for ledger in self._pending:
            self.store.write(ledger.flush())
            ledger.settle()
        self._pending = []
        _same_rows(dict(self.store.scan(ROW_TABLE)), self.naive.rows())
        stored = stored_ledger(self.store)
        if stored is None or stored.root != self.ledger.root:
            raise Disagreement("a ledger read back from the store has another root")

    def compare(self) -> None:
        """Rows, root, leaders and the recounted tally are the same in both."""
        rows = self.naive.rows()
        _same_rows({key: self.ledger.row(key) for key in rows}, rows)
        if self.ledger.root != self.naive.state_root():
            raise Disagreement("rows agree, roots differ")
        first = 1 if self.closed else self.ledger.core.head.view + 1
        members = self.ledger.core.roster.members
        for view in range(first, first + 3 * self.genesis.parameters.slot_views):
            if members[self.turn.leader(view)].key != self.naive.leader(view):
                raise Disagreement(f"leader of view {view}")
        if encode(recount(self.genesis, self.blocks)) != rows[TALLY_KEY]:
            raise Disagreement("the recounted tally differs")


def _verdict(judge: Callable[[], object]) -> Code | None:
    try:
        judge()
    except Refusal as refusal:
        return refusal.code
    return None


def _same_rows(ours: Mapping[bytes, bytes | None], theirs: Mapping[bytes, bytes]) -> None:
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            had, wanted = (
                None if data is None else msgspec.msgpack.decode(data) for data in (ours.get(key), theirs.get(key))
            )
            raise Disagreement(f"row {key!r}: ledger has {had!r}, naive has {wanted!r}")
