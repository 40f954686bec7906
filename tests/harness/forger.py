"""Makes up what a chain may be offered: transactions, votes and certificates, most of them valid, and forged blocks.

All choices come from one `Random`. Every choice of the first alternative is the tame one, so that a Hypothesis random
shrinks toward valid, empty blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec import structs

from lucid.chain.administrators import Administrators, Approvals, first_administrators
from lucid.chain.blocks import Block, certificate_hash, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate, signer_places
from lucid.chain.challenges import ANSWERS, Draw, SegmentAnswer
from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, session_root
from lucid.chain.codec import decode
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.segments import segment_count, segment_proof
from lucid.chain.transactions import (
    Equivocation,
    FalseProof,
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
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote, vote_message
from lucid.ledger.proofs import Challenge, open_challenge
from lucid.ledger.rows import holding_key, mandate_key
from tests.harness.twin import Twin

HASHES = [bytes((number,)) * 32 for number in range(1, 4)]
SESSIONS = [bytes((number,)) * 6 + b"\x40\x00\x80" + bytes(7) for number in range(8)]
SESSIONS_NOT_V4 = [bytes(6) + b"\x30\x00\x80" + bytes(7), bytes(6) + b"\x40\x00\x40" + bytes(7)]
BROKEN = bytes(64)
CHUNKS = [bytes([number]) * size for number, size in enumerate((1_024, 4_096, 9_000, 20_480, 50_000))]
IDS = [chunk_id(data) for data in CHUNKS]
ROOT = session_root(IDS)
RANGES = (
    ((0, 1),),
    ((0, 2), (3, 999_997)),
    (),
    ((0, 1), (1, 1)),
    ((4, 1), (2, 1)),
    ((0, 0),),
    ((0, 1_000_001),),
    ((2, 1), (3, 0)),
)


class Forger:
    """Draws for the next block of a `Twin`, which has the secrets of all `nodes`, `administrators` and `owners`.

    `place` says where that block will stand: its height, epoch and slot over all epochs.
    """

    def __init__(
        self, random: Random, twin: Twin, nodes: list[bytes], administrators: list[bytes], owners: list[bytes]
    ) -> None:
        self.random = random
        self.twin = twin
        self.chain_id = twin.genesis.chain_id
        self.parameters = twin.genesis.parameters
        self.nodes = nodes
        self.administrators = administrators
        self.owners = owners
        self.place = (0, 0, 0)

    def _rarely(self) -> bool:
        return self.random.randrange(16) == 15

    def _one_of(self, tame: Any, *wild: Any) -> Any:
        """The tame alternative, or rarely one of the others."""
        return self.random.choice(wild) if self._rarely() else tame

    def _node(self) -> bytes:
        """Key of a member, retired or not, or rarely of any node."""
        return self.random.choice(
            self.nodes if self._rarely() else [m.key for m in self.twin.ledger.core.roster.members]
        )

    # -- transactions --------------------------------------------------------------------------------------------

    def transaction(self) -> Transaction:
        """Any transaction, endorsed."""
        makers = (self._anchor, self._heartbeat, self._heartbeat, self._commit, self._register, self._retire)
        others = (self._heartbeat, self._register, self._evidence, self._schedule, self._set_replication, self._hand_on)
        holdings = (self._holding, self._holding)
        proofs = (self._proof, self._proof, self._false_proof, self._mandate, self._receipt, self._capacity)
        return self.endorse(self.random.choice((*makers, *others, *holdings, *proofs))())

    def storing(self) -> Transaction:
        """Sessions, what is held of them, proofs of that, and nodes that come and go."""
        often = (
            (self._proof,) * 6 + (self._false_proof,) * 3 + (self._holding, self._holding, self._holding, self._stored)
        )
        return self.endorse(self.random.choice((*often, *often, self._register, self._retire, self._heartbeat))())

    def relaying(self) -> Transaction:
        """The same with relays that owners name, and receipts for what these brought."""
        relays = (self._mandate, self._mandate, self._receipt, self._receipt, self._receipt, self._stored)
        often = (*relays, self._proof, self._proof, self._proof, self._holding, self._holding)
        return self.endorse(self.random.choice((*often, *often, *often, *[self._register] * 3, self._retire))())

    def weighing(self) -> Transaction:
        """What nodes declare and prove, of sessions that some of them hold, and nodes that come and go."""
        often = (*(self._capacity,) * 4, *(self._proof,) * 6, *(self._holding,) * 3, *(self._stored,) * 2)
        return self.endorse(self.random.choice((*often, *often, self._register, self._retire))())

    def administering(self) -> Transaction:
        """What administrators decide, mostly on others in their place."""
        often = (self._hand_on, self._hand_on, self._hand_on, self._register, self._retire, self._set_replication)
        return self.endorse(self.random.choice(often)())

    def heartbeats(self) -> tuple[Transaction, ...]:
        """Most validators' heartbeats of the next block's slot, valid if it is their first."""
        slot = self.place[2] % self.parameters.epoch_slots
        blanks = [
            UptimeBeacon(member.key, self.place[1], slot, self.twin.tip, BROKEN)
            for member in self.twin.ledger.core.roster.members
            if not member.retired and self.random.randrange(4)
        ]
        return tuple([self.endorse(self.claim(blank, blank.node)) for blank in blanks])

    def endorse(self, payload: Payload) -> Transaction:
        """A transaction that holds for as long as it may, or rarely one that does not."""
        height, lifetime = self.place[0], self.parameters.transaction_lifetime_blocks
        valid_until = max(0, self._one_of(height + lifetime - 1, height, height - 1, height + lifetime))
        endorser = self._node()
        message = endorsement_message(self.chain_id, Transaction(payload, endorser, 0, BROKEN).id, valid_until)
        return Transaction(payload, endorser, valid_until, self._one_of(self.twin.sign(endorser, message), BROKEN))

    def claim(self, payload: Any, signer: bytes) -> Any:
        """The payload with its owner's or node's signature."""
        signature = self.twin.sign(signer, claim_message(self.chain_id, payload))
        return structs.replace(payload, signature=self._one_of(signature, BROKEN))

    def _anchor(self) -> Payload:
        return self._anchored(self.random.choice(SESSIONS), self.random.choice(self.owners))

    def _stored(self) -> Payload:
        """One of those of which nodes hold something."""
        return self._anchored(self.random.choice(SESSIONS[:3]), self.owners[0])

    def _anchored(self, session: bytes, owner: bytes) -> Payload:
        blank = SessionAnchor(
            self._one_of(session, *SESSIONS_NOT_V4),
            owner,
            self._one_of(1, 0, 3),
            2,
            self.random.choice(HASHES),
            self._one_of(ROOT, HASHES[0]),
            self._one_of(5, 0, 1_000_000, 1_000_001),
            self._one_of(sum(map(len, CHUNKS)), 9),
            self._one_of(b"", bytes(32), bytes(31)),
            BROKEN,
        )
        return self.claim(blank, owner)  # type: ignore[no-any-return]

    def _commit(self) -> Payload:
        node = self._node()
        ranges = self._one_of(self.random.choice(RANGES[:2]), *RANGES[2:])
        session, owner = self.random.choice(SESSIONS), self.random.choice(self.owners)
        return self.claim(ReplicaCommit(node, owner, session, ranges, BROKEN), node)  # type: ignore[no-any-return]

    def _holding(self) -> Payload:
        node, height = self._node(), self.place[0]
        ranges = self._one_of(self.random.choice((RANGES[0], ((0, 2), (3, 2)), ())), *RANGES[1:])
        session, owner = self.random.choice(SESSIONS[:3]), self.random.choice(self.owners[:1])
        named = max(0, height - self.random.choice((1, 1, 2, 3)))
        named = self._one_of(named, height, max(0, height - 1 - self.parameters.transaction_lifetime_blocks))
        blank = ReplicaHolding(node, owner, session, named, ranges, BROKEN)
        return self.claim(blank, node)  # type: ignore[no-any-return]

    def showings(self) -> tuple[Transaction, ...]:
        """What all members say that they hold, once, and show of it."""
        row, owner, session = self.twin.ledger.row, self.owners[0], SESSIONS[0]
        members = [each.key for each in self.twin.ledger.core.roster.members if not each.retired]
        new = [node for node in members if row(holding_key(session, owner, node)) is None]
        blanks = [ReplicaHolding(node, owner, session, max(0, self.place[0] - 1), RANGES[0], BROKEN) for node in new]
        said = [self.endorse(self.claim(blank, blank.node)) for blank in blanks]
        drawn = [node for node in members if self._drawn(node, session) is not None]
        return (*said, *[self.endorse(self._shown(node, session)) for node in drawn])

    def _proof(self) -> StorageProof:
        """An answer to what is drawn, or to something that is not; of every second node that holds something."""
        session = self.random.choice(SESSIONS[:3])
        holders = [node for node in self.nodes if self._drawn(node, session) is not None]
        return self._shown(self.random.choice(holders) if holders and not self._rarely() else self._node(), session)

    def _drawn(self, node: bytes, session: bytes) -> Challenge | None:
        return open_challenge(self.twin.ledger, self.parameters.epoch_views, node, session, self.owners[0])

    def _shown(self, node: bytes, session: bytes) -> StorageProof:
        challenge = self._drawn(node, session)
        drawn = () if challenge is None else tuple(each for each in challenge.draws if each.place < 5)
        answers = tuple([self._answer(each) for each in (*drawn, Draw(0, 0), Draw(4, 1 << 63))[:ANSWERS]])
        epoch = self._one_of(self.place[1], max(0, self.place[1] - 1), self.place[1] + 1)
        blank = StorageProof(node, self.owners[0], session, epoch, answers, BROKEN)
        return self.claim(blank, node)  # type: ignore[no-any-return]

    def _answer(self, draw: Draw) -> SegmentAnswer:
        place = draw.place
        data, segments = CHUNKS[place], segment_count(len(CHUNKS[place]))
        number = draw.segment(segments)
        shown = data[number * SEGMENT_BYTES :][:SEGMENT_BYTES]
        paths = inclusion_proof(IDS, place, session_tree_digest), segment_proof(data, number)
        answer = SegmentAnswer(place, IDS[place], paths[0], segments, number, shown, paths[1])
        changes: tuple[dict[str, Any], ...] = (
            {"place": 5},
            {"chunk": HASHES[0]},
            {"chunk_path": ()},
            {"segments": 0},
            {"segments": 4_097},
            {"segments": segments + 1},
            {"segment": number + 1},
            {"data": shown[:-1]},
            {"data": b""},
            {"path": (*paths[1], bytes(32))},
        )
        return structs.replace(answer, **self.random.choice((*[{}] * 50, *changes)))

    def _false_proof(self) -> Payload:
        proof = self._proof()
        wrong = structs.replace(proof.answers[0], chunk=HASHES[1])
        lie = self.claim(structs.replace(proof, answers=(wrong, *proof.answers[1:])), proof.node)
        return FalseProof(self.random.choice((lie, lie, lie, proof)))

    def _mandate(self) -> Payload:
        session, owner = self.random.choice(SESSIONS[:3]), self.random.choice(self.owners[:1])
        return self.claim(RelayMandate(self._node(), owner, session, BROKEN), owner)  # type: ignore[no-any-return]

    def _receipt(self) -> Payload:
        """Mostly of a node that holds something of a session with a relay, for that."""
        row, owner = self.twin.ledger.row, self.owners[0]
        named = [each for each in SESSIONS[:3] if row(mandate_key(each, owner)) is not None]
        session = self.random.choice(named if named and not self._rarely() else SESSIONS[:4])
        mandate = row(mandate_key(session, owner))
        relay = self._node() if mandate is None or self._rarely() else decode(mandate, tuple[bytes])[0]
        holders = [node for node in self.nodes if row(holding_key(session, owner, node)) is not None and node != relay]
        node = self.random.choice(holders) if holders and not self._rarely() else self._node()
        said = row(holding_key(session, owner, node))
        height, ranges = (0, ()) if said is None else decode(said, tuple[int, tuple[tuple[int, int], ...]])
        held = sum(count for _, count in ranges)
        chunks = self.random.choice((max(1, held),) * 6 + (1, 1, 0, held + 1, held + 1))
        blank = RelayReceipt(node, relay, owner, session, self._one_of(height, height + 1), chunks, BROKEN)
        return self.claim(blank, node)  # type: ignore[no-any-return]

    def _capacity(self) -> Payload:
        node, tickets = self._node(), self.random.choice((16, 8, 4, 2, 1, 0, 17))
        height = max(0, self.place[0] - self.random.choice((1, 1, 1, 1, 0, 2, 3, 20)))
        return self.claim(NodeCapacity(node, height, tickets, BROKEN), node)  # type: ignore[no-any-return]

    def _heartbeat(self) -> Payload:
        node = self._node()
        slot = max(0, self.place[2] - self.random.choice((0, 0, 0, 0, 1, 1, 2, -1)))
        epoch, slot = divmod(slot, self.parameters.epoch_slots)
        if epoch and self._rarely():
            epoch, slot = epoch - 1, slot + self.parameters.epoch_slots
        recent = [block.hash for block in self.twin.ledger.core.head.recent]
        block = self.random.choice((self.twin.tip, *recent[::-1], HASHES[0]))
        return self.claim(UptimeBeacon(node, epoch, slot, block, BROKEN), node)  # type: ignore[no-any-return]

    def _sequence(self) -> int:
        """The next number, or that of a further change in the same block."""
        return self.twin.ledger.core.roster.sequence + self.random.choice((0, 0, 1, 2))

    def approve(self, change: Any) -> Any:
        """The change with the signatures of enough administrators, or rarely not."""
        message = claim_message(self.chain_id, change)
        decided, first = self.twin.ledger.core.administration, first_administrators(self.twin.genesis)
        if decided is not None:
            first = self._one_of((decided.opening() if self.twin.closed else decided).current, first)
        return structs.replace(change, approvals=self._signed(first, message))

    def _signed(self, by: Administrators, message: bytes) -> Approvals:
        """The signatures of enough of them, or rarely not."""
        keys = by.keys or tuple(self.administrators)
        enough = tuple(range(by.threshold))
        indexes = self._one_of(enough, (), (0,), (0, 0), (1, 0), (0, 2), (0, 1, 2), (0, 1, 3))
        known = len(keys)
        return tuple(
            (index, self._one_of(self.twin.sign(keys[index], message), BROKEN) if index < known else BROKEN)
            for index in indexes
        )

    def _hand_on(self) -> Payload:
        """Others in the administrators' place, or rarely such as may not follow."""
        some = (*self.administrators, *self.nodes[:2])
        keys = self._one_of(self.random.choice((some[:3], some[1:3], some[2:5], some[3:])), (), (some[0], some[0]))
        threshold = self._one_of(max(1, len(keys) - 1), 0, len(keys), len(keys) + 1)
        blank = SetAdministrators(keys, threshold, self._sequence(), (), ())
        accepted = self._signed(blank.administrators, claim_message(self.chain_id, blank))
        return self.approve(structs.replace(blank, acceptances=accepted))  # type: ignore[no-any-return]

    def _register(self) -> Payload:
        name = self._one_of("x", "", "é" * 32, "é" * 33)
        pool = self._one_of(self.random.choice(("", "red", "blue")), "é" * 32, "é" * 33)
        node = self.random.choice(self.nodes)
        blank = RegisterNode(node, name, pool, self._sequence(), (), BROKEN)
        return self.approve(self.claim(blank, node))  # type: ignore[no-any-return]

    def _retire(self) -> Payload:
        return self.approve(RetireNode(self._node(), self._sequence(), ()))  # type: ignore[no-any-return]

    def _schedule(self) -> Payload:
        """Rules from a height on that is soon enough to be reached, or nothing any more."""
        soonest = self.place[0] + self.parameters.epoch_views
        version = self._one_of(self.random.choice((2, 3, 4, 5, 6, 7)), 1, 0)
        height = self._one_of(soonest + self.random.choice((0, 1, 5)), soonest - 1, 0)
        version, height = self.random.choice(((version, height), (version, height), (0, 0)))
        return self.approve(ScheduleRules(version, height, self._sequence(), ()))  # type: ignore[no-any-return]

    def _set_replication(self) -> Payload:
        factor = self._one_of(self.random.choice((1, 2, 3, 5, 64)), 0, 65)
        return self.approve(SetReplication(factor, self._sequence(), ()))  # type: ignore[no-any-return]

    def _evidence(self) -> Payload:
        signer = self._node()
        epoch = max(0, self.place[1] - self.random.choice((0, 0, 0, 1, 2, -1)))
        view = self._one_of(self.random.choice((1, 2, 3)), 0)
        same = self.random.choice((NOTARIZE, FINALIZE, PROPOSE))
        kinds = self._one_of((same, same), (SKIP, SKIP), (NOTARIZE, SKIP), (NOTARIZE, FINALIZE))
        kinds = self.random.choice((kinds, kinds, (SKIP, FINALIZE), (FINALIZE, SKIP)))
        blocks = self._one_of((HASHES[0], HASHES[1]), (HASHES[0], HASHES[0]))
        first, second = (
            self.twin.vote(signer, epoch, view, kind, self._one_of(b"" if kind == SKIP else block, b"", HASHES[2]))
            for kind, block in zip(kinds, blocks, strict=True)
        )
        second = self._one_of(second, structs.replace(second, signature=BROKEN), structs.replace(second, view=9))
        return Equivocation(first, second)

    # -- votes and certificates ----------------------------------------------------------------------------------

    def late_votes(self) -> tuple[Vote, ...]:
        """Notarizations of recent blocks, in the order that the rules want; only some of them can be credited."""
        head = self.twin.ledger.core.head
        named = [(recent.epoch, recent.view, recent.hash) for recent in head.recent]
        named.append((head.epoch, head.view, self.twin.tip))
        return tuple(
            [
                self.twin.vote(key, epoch, view, NOTARIZE, block)
                for epoch, view, block in named
                for key in sorted(member.key for member in self.twin.ledger.core.roster.members)
                if self.random.randrange(4) == 3
            ]
        )

    def certificate(self) -> Certificate | None:
        """A certificate that carries the next block."""
        size = len(self.twin.ledger.validators)
        absent = [self.random.randrange(size) for _ in range(self.random.randrange(size))]
        return self.twin.certificate(absent, self.random.choice((0, 0, 1, 2)))

    def _signed_again(self, certificate: Certificate) -> Certificate:
        message = vote_message(self.chain_id, certificate.epoch, certificate.view, certificate.kind, certificate.block)
        keys = self.twin.ledger.validators.keys
        places = [place for place in signer_places(certificate.signers) if place < len(keys)]
        return structs.replace(certificate, signatures=tuple([self.twin.sign(keys[p], message) for p in places]))

    # -- forged blocks -------------------------------------------------------------------------------------------

    def forged(self, block: Block) -> Block:
        """A block with one or two things changed, most of which no rule allows; signed again."""
        for _ in range(self.random.choice((1, 1, 2))):
            block = self.random.choice((self._header, self._header, self._body, self._votes, self._certificate))(block)
        return block

    def with_transactions(self, block: Block, transactions: tuple[Transaction, ...]) -> Block:
        """The block with these transactions; its other roots stay."""
        changed = structs.replace(block, transactions=transactions)
        return self.twin.seal(changed, transactions_root=transactions_root(transactions))

    def _header(self, block: Block) -> Block:
        header, parent = block.header, self.twin.ledger.core.head
        changes: dict[str, tuple[Any, ...]] = {
            "state_root": (HASHES[0],),
            "version": (header.version + 1,),
            "chain": (HASHES[0],),
            "height": (header.height + 1, max(0, header.height - 1)),
            "epoch": (header.epoch + 1, max(0, header.epoch - 1)),
            "view": (parent.view, header.view + 1, max(0, parent.view - 1), 0),
            "tick": (parent.tick, header.tick + 1),
            "proposer": (self.random.choice(self.nodes),),
            "entity": (b"x", header.proposer, b"pool:red"),
            "vrf_proof": (bytes(80),),
            "beacon": (HASHES[0],),
            "parent": (HASHES[0], parent.parent),
            "transactions_root": (HASHES[0],),
            "late_votes": (HASHES[0],),
            "parent_certificate": (HASHES[0], bytes(32)),
            "validators": (HASHES[0], header.next_validators),
            "next_validators": (HASHES[0], header.validators),
        }
        field = self.random.choice(list(changes))
        return self.twin.seal(block, **{field: self.random.choice(changes[field])})

    def _body(self, block: Block) -> Block:
        extra = tuple([self.transaction() for _ in range(self.random.randrange(4))])
        alternatives: tuple[Callable[[], Block], ...] = (
            lambda: structs.replace(block, signature=BROKEN),
            lambda: self.with_transactions(block, block.transactions * 2),
            lambda: self.with_transactions(block, block.transactions + extra),
            lambda: self.with_transactions(block, block.transactions[::-1]),
            lambda: structs.replace(block, transactions=block.transactions + extra),
        )
        return self.random.choice(alternatives)()

    def _votes(self, block: Block) -> Block:
        votes = [*block.late_votes, *self.late_votes()]
        if votes:
            place = self.random.randrange(len(votes))
            vote = votes[place]
            changes: tuple[dict[str, Any], ...] = (
                {},
                {"kind": FINALIZE},
                {"epoch": vote.epoch + 1},
                {"view": vote.view + 1},
                {"block": HASHES[2]},
                {"signer": self.nodes[-1]},
            )
            changed = structs.replace(vote, **self.random.choice(changes))
            again = self.twin.vote(changed.signer, changed.epoch, changed.view, changed.kind, changed.block)
            votes[place] = self._one_of(again, structs.replace(vote, signature=BROKEN))
        if self._rarely():
            self.random.shuffle(votes)
        picked = tuple(votes[self.random.randrange(len(votes) + 1) :])
        return self.twin.seal(structs.replace(block, late_votes=picked), late_votes=late_votes_hash(picked))

    def _certificate(self, block: Block) -> Block:
        old = block.parent_certificate or Certificate(0, 0, NOTARIZE, self.twin.tip, b"\xff", (BROKEN,))
        changes: tuple[dict[str, Any], ...] = (
            {},
            {"kind": FINALIZE if old.kind == NOTARIZE else NOTARIZE},
            {"kind": SKIP, "block": b""},
            {"view": old.view + 1},
            {"view": max(0, old.view - 1)},
            {"epoch": old.epoch + 1},
            {"block": HASHES[1]},
            {"signers": old.signers + b"\x00"},
            {"signers": b"\xff" * len(old.signers)},
            {"signers": b"\x01" + bytes(len(old.signers) - 1)},
            {"signatures": old.signatures[:-1]},
            {"signatures": (*old.signatures[:-1], BROKEN)},
        )
        certificate: Certificate | None = structs.replace(old, **self.random.choice(changes))
        if certificate is not None and self.random.randrange(2):
            certificate = self._signed_again(certificate)
        certificate = self._one_of(certificate, None)
        changed = structs.replace(block, parent_certificate=certificate)
        return self.twin.seal(changed, parent_certificate=certificate_hash(certificate))
