"""Small chains for the tests: keys, genesis documents, signed votes and transactions, a chain that grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from msgspec import structs

from lucid.chain.blocks import Block, Header, certificate_hash, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Activation, Genesis, GenesisNode, GenesisOfRules
from lucid.chain.keys import Crypto
from lucid.chain.parameters import DAY_MS, Parameters
from lucid.chain.transactions import (
    Equivocation,
    NodeCapacity,
    Payload,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    ReplicaCommit,
    ReplicaHolding,
    RetireNode,
    ScheduleRules,
    SessionAnchor,
    SetAdministrators,
    SetReplication,
    StorageProof,
    Transaction,
    UptimeBeacon,
    claim_message,
    endorsement_message,
)
from lucid.chain.votes import FINALIZE, NOTARIZE, Vote, vote_message
from lucid.ledger.memory import MemoryStore
from lucid.ledger.rows import HoldingEntry, holding_key, slot_key
from lucid.ledger.state import Ledger, genesis_ledger
from lucid.ledger.turn import Turn
from lucid.ledger.validation import Built, Validator
from lucid.poot.credits import SlotWork
from lucid.poot.members import Member
from sim.crypto import ModeledCrypto

CRYPTO = ModeledCrypto()
NO_SIGNATURE = bytes(64)

Claim = TypeVar(
    "Claim",
    SessionAnchor,
    ReplicaCommit,
    ReplicaHolding,
    StorageProof,
    UptimeBeacon,
    RegisterNode,
    RelayMandate,
    RelayReceipt,
    NodeCapacity,
)
Request = TypeVar("Request", RegisterNode, RetireNode, ScheduleRules, SetReplication, SetAdministrators)


def secret(name: str) -> bytes:
    """The secret of a named party."""
    return blake2b(name.encode(), digest_size=32).digest()


def digest(*parts: object) -> bytes:
    """32 bytes that stand for a hash of something that no test looks into."""
    return blake2b(repr(parts).encode(), digest_size=32).digest()


def small_parameters(**changes: Any) -> Parameters:
    """Slots of three views, epochs of four slots, a window of three slots: every edge is a few blocks away.

    A block every eight hours is beyond what a genesis document may say; the ledger has one path for all.
    """
    defaults = {
        "block_interval_ms": DAY_MS // 3,
        "slot_duration_ms": DAY_MS,
        "leader_window_days": 3,
        "epoch_slots": 4,
    }
    return Parameters(**defaults | changes)


def stored(store: MemoryStore) -> dict[str, dict[bytes, bytes]]:
    """All that a store holds, by table and key."""
    return {table: dict(store.scan(table)) for table in store.tables()}


def make_genesis(
    nodes: int = 4,
    *,
    pools: tuple[str, ...] = (),
    administrators: int = 3,
    threshold: int = 2,
    crypto: Crypto = CRYPTO,
    rules: Activation | None = None,
    **parameters: Any,
) -> Genesis:
    """Nodes "node 0", "node 1", ... of which the first belong to `pools`; administrators "admin 0", ..."""
    fields = (
        1_700_000_000_000,
        tuple(
            GenesisNode(crypto.public_key(secret(f"node {n}")), f"node {n}", pools[n] if n < len(pools) else "")
            for n in range(nodes)
        ),
        tuple(crypto.public_key(secret(f"admin {n}")) for n in range(administrators)),
        threshold,
        small_parameters(**parameters),
    )
    return Genesis(*fields) if rules is None else GenesisOfRules(*fields, rules=rules)


class Chain:
    """A chain and everyone on it: `grow` adds a block, the rest signs what people and nodes would."""

    def __init__(self, genesis: Genesis | None = None, crypto: Crypto = CRYPTO) -> None:
        self.genesis = genesis or make_genesis()
        self.parameters = self.genesis.parameters
        self.crypto = crypto
        self.validator = Validator(self.genesis, crypto)
        self.chain_id = self.genesis.chain_id
        self.store = MemoryStore()
        self.tip: Ledger = genesis_ledger(self.genesis, self.store)
        self.hash = self.chain_id
        self.blocks: list[Block] = []
        self._names = {crypto.public_key(secret(f"node {n}")): f"node {n}" for n in range(len(self.genesis.nodes) + 8)}

    # -- who and where -------------------------------------------------------------------------------------------

    def node(self, number: int) -> bytes:
        """The key of "node N": a genesis node's, or that of one which may still register."""
        return self.crypto.public_key(secret(f"node {number}"))

    def secret_of(self, key: bytes) -> bytes:
        """A node's secret."""
        return secret(self._names[key])

    @property
    def turn(self) -> Turn:
        """Who leads on the tip."""
        return Turn(self.tip, self.parameters)

    @property
    def next_view(self) -> int:
        """The first view that a block on the tip may have."""
        return self.turn.parent_view + 1

    def leader(self, view: int | None = None) -> Member:
        """Who leads a view, by default the next."""
        return self.tip.core.roster.members[self.turn.leader(self.next_view if view is None else view)]

    def copy(self) -> Chain:
        """A fork of this chain that starts as its equal."""
        other = Chain(self.genesis, self.crypto)
        other.store, other.tip, other.hash, other.blocks = self.store, self.tip, self.hash, list(self.blocks)
        return other

    def work(self, slot: int) -> SlotWork | None:
        """What the tip holds of a slot."""
        row = self.tip.row(slot_key(slot))
        return None if row is None else decode(row, SlotWork)

    # -- votes ---------------------------------------------------------------------------------------------------

    def vote(self, signer: bytes, kind: int, block: bytes, view: int, epoch: int = 0) -> Vote:
        """A signed vote."""
        message = vote_message(self.chain_id, epoch, view, kind, block)
        return Vote(epoch, view, kind, block, signer, self.crypto.sign(self.secret_of(signer), message))

    def certificate(
        self,
        signers: Iterable[int] | None = None,
        kind: int | None = None,
        view: int | None = None,
        epoch: int | None = None,
    ) -> Certificate | None:
        """The certificate that a block on the tip carries, signed by validator indexes, by default the first q."""
        head, validators = self.tip.core.head, self.tip.validators
        if head.height == 0:
            return None
        if kind is None:
            kind = FINALIZE if self.turn.epoch != head.epoch else NOTARIZE
        view = head.view if view is None else view
        epoch = head.epoch if epoch is None else epoch
        places = range(validators.quorum) if signers is None else signers
        message = vote_message(self.chain_id, epoch, view, kind, self.hash)
        signatures = {place: self.crypto.sign(self.secret_of(validators.keys[place]), message) for place in places}
        return assemble(epoch, view, kind, self.hash, signatures, len(validators))

    # -- transactions --------------------------------------------------------------------------------------------

    def sign(self, payload: Claim, who: bytes) -> Claim:
        """Sign a payload by the party with this secret."""
        return structs.replace(payload, signature=self.crypto.sign(who, claim_message(self.chain_id, payload)))

    def approve(
        self, request: Request, administrators: Iterable[int] = (0, 1), names: Sequence[int] | None = None
    ) -> Request:
        """Sign an administrative request, by places in `names`, the numbers of those in force (0, 1 and so on)."""
        message = claim_message(self.chain_id, request)
        approvals = tuple(
            (place, self.crypto.sign(secret(f"admin {place if names is None else names[place]}"), message))
            for place in administrators
        )
        return structs.replace(request, approvals=approvals)

    def endorse(self, payload: Payload, endorser: bytes | None = None, valid_until: int | None = None) -> Transaction:
        """Endorse a payload, by default by the first node in force and for the next sixteen blocks."""
        if endorser is None:
            endorser = next(member.key for member in self.tip.core.roster.members if not member.retired)
        valid_until = self.tip.core.head.height + 16 if valid_until is None else valid_until
        transaction = Transaction(payload, endorser, valid_until, NO_SIGNATURE)
        message = endorsement_message(self.chain_id, transaction.id, valid_until)
        return structs.replace(transaction, endorsement=self.crypto.sign(self.secret_of(endorser), message))

    def anchor(self, number: int = 0, signer: bytes | None = None, **changes: Any) -> SessionAnchor:
        """An anchor of session number N, of the owner "owner"."""
        identity = bytearray(digest("session", number)[:16])
        identity[6] = identity[6] & 0x0F | 0x40
        identity[8] = identity[8] & 0x3F | 0x80
        owner = secret("owner")
        blank = SessionAnchor(
            bytes(identity), self.crypto.public_key(owner), 1_000, 2_000,
            digest("manifest", number), digest("root", number), 7, 7 << 20, b"", NO_SIGNATURE,
        )  # fmt: skip
        return self.sign(structs.replace(blank, **changes), signer or owner)

    def commit(self, number: int = 0, node: int = 0, signer: bytes | None = None, **changes: Any) -> ReplicaCommit:
        """A node's commitment to hold the first chunks of session number N."""
        blank = ReplicaCommit(
            self.node(node), self.anchor(number).owner, self.anchor(number).session, ((0, 3),), NO_SIGNATURE
        )
        return self.sign(structs.replace(blank, **changes), signer or secret(f"node {node}"))

    def holding(self, number: int = 0, node: int = 0, signer: bytes | None = None, **changes: Any) -> ReplicaHolding:
        """What a node holds of session number N: the first chunks, as of the tip."""
        owner, session, height = self.anchor(number).owner, self.anchor(number).session, self.tip.core.head.height
        blank = ReplicaHolding(self.node(node), owner, session, height, ((0, 3),), NO_SIGNATURE)
        return self.sign(structs.replace(blank, **changes), signer or secret(f"node {node}"))

    def mandate(self, number: int = 0, relay: int = 0, signer: bytes | None = None) -> RelayMandate:
        """The owner's word that it handed session number N to a node."""
        anchor = self.anchor(number)
        blank = RelayMandate(self.node(relay), anchor.owner, anchor.session, NO_SIGNATURE)
        return self.sign(blank, signer or secret("owner"))

    def receipt(
        self, number: int = 0, node: int = 1, relay: int = 0, signer: bytes | None = None, **changes: Any
    ) -> RelayReceipt:
        """A node's receipt for three chunks of its copy of session number N, as it said last that it holds them."""
        anchor, key = self.anchor(number), self.node(node)
        row = self.tip.row(holding_key(anchor.session, anchor.owner, key))
        height = 0 if row is None else decode(row, HoldingEntry).height
        blank = RelayReceipt(key, self.node(relay), anchor.owner, anchor.session, height, 3, NO_SIGNATURE)
        return self.sign(structs.replace(blank, **changes), signer or secret(f"node {node}"))

    def capacity(
        self, node: int = 0, tickets: int = 4, signer: bytes | None = None, height: int | None = None
    ) -> NodeCapacity:
        """A node's word on what it has room for, as of the last block unless a height is given."""
        height = self.tip.core.head.height if height is None else height
        blank = NodeCapacity(self.node(node), height, tickets, NO_SIGNATURE)
        return self.sign(blank, signer or secret(f"node {node}"))

    def heartbeat(
        self, node: int, slot: int, block: bytes, epoch: int = 0, signer: bytes | None = None
    ) -> UptimeBeacon:
        """A node's uptime beacon of a slot of an epoch."""
        blank = UptimeBeacon(self.node(node), epoch, slot, block, NO_SIGNATURE)
        return self.sign(blank, signer or secret(f"node {node}"))

    def register(
        self,
        node: int,
        sequence: int,
        administrators: Iterable[int] = (0, 1),
        signer: bytes | None = None,
        **changes: Any,
    ) -> RegisterNode:
        """A request to register "node N", which that node signed and administrators approved."""
        blank = RegisterNode(self.node(node), f"node {node}", "", sequence, (), NO_SIGNATURE)
        signed = self.sign(structs.replace(blank, **changes), signer or secret(f"node {node}"))
        return self.approve(signed, administrators)

    def retire(self, node: int, sequence: int, administrators: Iterable[int] = (0, 1)) -> RetireNode:
        """A request to retire "node N", approved by administrators."""
        return self.approve(RetireNode(self.node(node), sequence, ()), administrators)

    def schedule(
        self, version: int, height: int, sequence: int, administrators: Iterable[int] = (0, 1)
    ) -> ScheduleRules:
        """A request to schedule rules, approved by administrators."""
        return self.approve(ScheduleRules(version, height, sequence, ()), administrators)

    def replicate(self, factor: int, sequence: int, administrators: Iterable[int] = (0, 1)) -> SetReplication:
        """A request for so many copies of each chunk, approved by administrators."""
        return self.approve(SetReplication(factor, sequence, ()), administrators)

    def hand_on(
        self,
        following: Sequence[int],
        threshold: int,
        sequence: int,
        administrators: Iterable[int] = (0, 1),
        names: Sequence[int] | None = None,
        accepted: Iterable[int] | None = None,
    ) -> SetAdministrators:
        """A request that "admin N" of these decide from the next epoch on, which places of theirs accept (as many as
        have to), approved as in `approve`."""
        keys = tuple(self.crypto.public_key(secret(f"admin {number}")) for number in following)
        blank = SetAdministrators(keys, threshold, sequence, (), ())
        places = range(min(threshold, len(keys))) if accepted is None else accepted
        acceptances = self.approve(blank, places, following).approvals
        return self.approve(structs.replace(blank, acceptances=acceptances), administrators, names)

    def evidence(self, node: int, view: int = 1, epoch: int = 0) -> Equivocation:
        """Two notarize votes of a node in one view."""
        key = self.node(node)
        blocks = digest("one"), digest("another")
        return Equivocation(*(self.vote(key, NOTARIZE, block, view, epoch) for block in blocks))

    # -- blocks --------------------------------------------------------------------------------------------------

    def build(
        self,
        *candidates: Transaction | Payload,
        view: int | None = None,
        tick: int | None = None,
        late_votes: Iterable[Vote] = (),
        signers: Iterable[int] | None = None,
        certificate: Certificate | None = None,
    ) -> Built:
        """Build a block on the tip by whoever leads the view; payloads are endorsed first."""
        view = self.next_view if view is None else view
        head = self.tip.core.head
        return self.validator.build(
            self.tip,
            self.hash,
            self.turn,
            certificate=certificate or self.certificate(signers),
            view=view,
            tick=head.tick + 1 if tick is None else tick,
            vrf_proof=self.crypto.vrf_prove(self.secret_of(self.leader(view).key), head.beacon),
            late_votes=tuple(late_votes),
            candidates=tuple(each if isinstance(each, Transaction) else self.endorse(each) for each in candidates),
        )

    def seal(self, built: Built) -> Block:
        """The built block, signed by its proposer."""
        return self.resign(
            Block(built.header, NO_SIGNATURE, built.parent_certificate, built.late_votes, built.transactions)
        )

    def resign(self, block: Block, **header: Any) -> Block:
        """A block with another header, signed by the proposer that the header names."""
        changed: Header = structs.replace(block.header, **header)
        signature = self.crypto.sign(self.secret_of(changed.proposer), changed.hash)
        return structs.replace(block, header=changed, signature=signature)

    def rebody(self, block: Block, **body: Any) -> Block:
        """A block with another body that its header commits to, signed."""
        changed: Block = structs.replace(block, **body)
        return self.resign(
            changed,
            parent_certificate=certificate_hash(changed.parent_certificate),
            late_votes=late_votes_hash(changed.late_votes),
            transactions_root=transactions_root(changed.transactions),
        )

    def judge(self, block: Block) -> Ledger:
        """Judge a block on the tip."""
        return self.validator.judge(block, self.tip, self.hash, self.turn)

    def refusal(self, block: Block) -> Code | None:
        """The rule that a block on the tip breaks first, or None if it is valid."""
        try:
            self.judge(block)
        except Refusal as refusal:
            return refusal.code
        return None

    def adopt(self, block: Block, ledger: Ledger) -> None:
        """Move on to a block on the tip and the ledger after it."""
        self.tip, self.hash = ledger, block.header.hash
        self.blocks.append(block)

    def grow(self, *candidates: Transaction | Payload, **options: Any) -> Block:
        """Build a block in which every candidate must find its place, have it judged, and move on to it.

        What the builder and the judge make of a block must always be the same, so every test checks that.
        """
        built = self.build(*candidates, **options)
        assert not built.rejected and len(built.transactions) == len(candidates), built.rejected
        block = self.seal(built)
        ledger = self.judge(block)
        assert_equal_ledgers(ledger, built.ledger)
        self.adopt(block, ledger)
        return block

    def verdict(self, candidate: Transaction | Payload, *before: Transaction | Payload) -> Code | None:
        """What a leader and the others make of a transaction in the next block, after others that are in order.

        Checks that both say the same, and that a transaction which is refused changes nothing.
        """
        with_it, without = self.build(*before, candidate), self.build(*before)
        assert len(without.transactions) == len(before), without.rejected
        if not with_it.rejected:
            assert len(with_it.transactions) == len(before) + 1, "left out without a reason"
            assert self.refusal(self.seal(with_it)) is None
            return None
        ((refused, code),) = with_it.rejected
        assert with_it.ledger.root == without.ledger.root
        assert with_it.ledger.core.encoded() == without.ledger.core.encoded()
        forced = self.rebody(self.seal(without), transactions=(*without.transactions, refused))
        assert self.refusal(forced) is code
        return code

    def settle(self) -> None:
        """Make the tip final: everything goes to the store, oldest ledger first."""
        waiting = []
        ledger: Ledger | None = self.tip
        while ledger is not None:
            waiting.append(ledger)
            ledger = ledger.parent
        for each in reversed(waiting):
            self.store.write(each.flush())
        for each in reversed(waiting):
            each.settle()


def grown(blocks: int = 0, nodes: int = 4, **genesis: Any) -> Chain:
    """A chain of so many blocks without a transaction."""
    chain = Chain(make_genesis(nodes, **genesis))
    for _ in range(blocks):
        chain.grow()
    return chain


def assert_equal_ledgers(one: Ledger, other: Ledger) -> None:
    """Two ledgers on one parent say the same of every row and hash."""
    assert one.root == other.root
    assert sorted(one.flush(), key=repr) == sorted(other.flush(), key=repr)
    assert (one.validators.hash, one.next_validators.hash) == (other.validators.hash, other.next_validators.hash)
    assert one.core.encoded() == other.core.encoded()
