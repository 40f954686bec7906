"""The load of sessions that a node takes in and brings to others: holdings, relays, receipts and proofs (section 5).

The chunks are real, so that what a node holds can be proven, and small; bytes on their way are only counted. Each node
says and proves what its own ledger asks of it, and what it says falsely is what a fault makes it say.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import structs

from lucid.chain.challenges import Draw, SegmentAnswer
from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, session_root
from lucid.chain.codec import decode
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.segments import segment_count, segment_proof
from lucid.chain.transactions import (
    RelayMandate,
    RelayReceipt,
    ReplicaHolding,
    SessionAnchor,
    SignedClaim,
    StorageProof,
    claim_message,
)
from lucid.ledger.proofs import open_challenge
from lucid.ledger.rows import HoldingEntry, MandateEntry, anchored_key, holding_key, mandate_key, receipt_key
from lucid.machines.effects import Submitted
from sim.clock import Moment
from sim.exponential import exponential_us

if TYPE_CHECKING:
    from lucid.ledger.state import Ledger
    from sim.node import Node
    from sim.world import World

CHUNKS = [bytes([number]) * size for number, size in enumerate((1_024, 9_000, 30_000))]
IDS = [chunk_id(data) for data in CHUNKS]
ROOT, BYTES = session_root(IDS), sum(map(len, CHUNKS))
COPIES = 3
LOOK_US = 5_000_000
"""How often each node looks at what is to be said and proven."""
RELAYS_FROM = 1 << 41
"""Requests with such numbers are this load's."""
SAID_BLOCKS = 12
"""What is not on the chain so many blocks after it was said is said again."""
UNSIGNED = bytes(64)


class HandedSession(NamedTuple):
    """A session whose chunks there are: its anchor, its owner's secret, and who was given it and should hold it."""

    anchor: SessionAnchor
    secret: bytes
    taker: int
    holders: tuple[int, ...]


class RelayLoad:
    """Sessions that come to a node each `every_us` in the mean, and what becomes of their copies."""

    def __init__(self, world: World, every_us: int, random: Random) -> None:
        self.world = world
        self.recordings: list[HandedSession] = []
        self.moved: Counter[int] = Counter()
        """Bytes that each node sent others as a relay."""
        self.friends: dict[int, int] = {}
        """Nodes that deal with themselves, and who signs for what never came."""
        self.silent: set[int] = set()
        """Nodes that sign no receipts."""
        self.greedy: set[int] = set()
        """Nodes that name themselves, and sign for more than there is."""
        self.said = 0
        self._every_us = every_us
        self._random = random
        self._sent: dict[tuple[Any, ...], int] = {}
        self._fetched: set[tuple[bytes, int]] = set()
        if every_us:
            world.clock.after(exponential_us(random, every_us), self._hand_in)
            world.clock.after(LOOK_US, self._look)

    def _hand_in(self, _: Moment) -> None:
        """An owner hands a session to a node; one that deals with itself is its own owner, of as much as it likes."""
        self.world.clock.after(exponential_us(self._random, self._every_us), self._hand_in)
        random, count = self._random, self.world.scenario.nodes
        taker, secret, identity = random.randrange(count), random.randbytes(32), bytearray(random.randbytes(16))
        identity[6] = identity[6] & 0x0F | 0x40
        identity[8] = identity[8] & 0x3F | 0x80
        owner = self.world.clients.public_key(secret)
        blank = SessionAnchor(
            session=bytes(identity),
            owner=owner,
            started_ms=0,
            ended_ms=1,
            manifest=bytes(32),
            root=ROOT,
            chunks=len(IDS),
            total_bytes=BYTES,
            policy=b"",
            signature=UNSIGNED,
        )
        friend = self.friends.get(taker)
        others = [(taker + step) % count for step in range(min(COPIES, count))]
        holders = tuple(others) if friend is None else (taker, friend)
        self.recordings.append(HandedSession(self._signed(blank, secret), secret, taker, holders))

    def _look(self, _: Moment) -> None:
        self.world.clock.after(LOOK_US, self._look)
        for node in self.world.nodes[: self.world.scenario.nodes]:
            if node.up:
                assert node.manager is not None
                ledger: Ledger = node.manager.machine.chain.tree.root.ledger  # type: ignore[union-attr]
                for recording in self.recordings:
                    if node.index in recording.holders and node.up:
                        self._settle(node, ledger, recording)

    def _settle(self, node: Node, ledger: Ledger, recording: HandedSession) -> None:
        """Say and prove what is still to be, of one recording by the ledger of one node."""
        session, owner = recording.anchor.session, recording.anchor.owner
        named = ledger.row(mandate_key(session, owner))
        if ledger.row(anchored_key(session, owner)) is None:
            if node.index == recording.taker:
                self._say(node, ledger, "anchor", recording.anchor)
            return
        if named is None and node.index == recording.taker:
            mandate = RelayMandate(node.key, owner, session, UNSIGNED)
            self._say(node, ledger, "mandate", self._signed(mandate, recording.secret))
        row = ledger.row(holding_key(session, owner, node.key))
        if row is None:
            self._fetch(node, recording)
            ranges = ((0, len(IDS)),)
            holding = ReplicaHolding(node.key, owner, session, ledger.core.head.height, ranges, UNSIGNED)
            self._say(node, ledger, "holding", self._signed(holding, node.secret))
        elif named is not None and ledger.row(receipt_key(session, owner, node.key)) is None:
            self._sign_for(node, ledger, recording, decode(row, HoldingEntry), decode(named, MandateEntry).relay)
        self._prove(node, ledger, recording)

    def _fetch(self, node: Node, recording: HandedSession) -> None:
        """A holder fetches its copy, once; a friend makes it itself."""
        if (recording.anchor.identity, node.index) not in self._fetched and node.index != recording.taker:
            self._fetched.add((recording.anchor.identity, node.index))
            if self.friends.get(recording.taker) != node.index:
                self.moved[recording.taker] += BYTES

    def _sign_for(self, node: Node, ledger: Ledger, recording: HandedSession, said: HoldingEntry, relay: bytes) -> None:
        """Sign what came from the relay; a greedy node also what no rule lets it."""
        anchor = recording.anchor
        receipt = RelayReceipt(node.key, relay, anchor.owner, anchor.session, said.height, len(IDS), UNSIGNED)
        if node.index in self.greedy:
            other = self.world.nodes[(node.index + 1) % self.world.scenario.nodes].key
            for number, lie in enumerate((
                structs.replace(receipt, relay=other),
                structs.replace(receipt, chunks=len(IDS) + 1),
                structs.replace(receipt, height=said.height + 1),
            )):  # fmt: skip
                if lie.relay != node.key:
                    self._say(node, ledger, f"lie {number}", self._signed(lie, node.secret))
        if node.index != recording.taker and node.index not in self.silent:
            self._say(node, ledger, "receipt", self._signed(receipt, node.secret))

    def _prove(self, node: Node, ledger: Ledger, recording: HandedSession) -> None:
        """Show what is drawn, if something is."""
        anchor, views = recording.anchor, self.world.genesis.parameters.epoch_views
        asked = open_challenge(ledger, views, node.key, anchor.session, anchor.owner)
        if asked is not None:
            answers = tuple([answer(draw) for draw in asked.draws])
            proof = StorageProof(node.key, anchor.owner, anchor.session, asked.epoch, answers, UNSIGNED)
            self._say(node, ledger, "proof", self._signed(proof, node.secret))

    def _signed(self, blank: Any, secret: bytes) -> Any:
        message = claim_message(self.world.genesis.chain_id, blank)
        return structs.replace(blank, signature=self.world.clients.sign(secret, message))

    def _say(self, node: Node, ledger: Ledger, kind: str, payload: SignedClaim) -> None:
        """Hand something to a node's engine, again if it does not come on the chain."""
        height, epoch = ledger.core.head.height, ledger.core.head.epoch
        key = node.index, kind, epoch, payload.session + payload.owner  # type: ignore[union-attr]
        if height < self._sent.get(key, -SAID_BLOCKS) + SAID_BLOCKS or node.engine is None:
            return
        self._sent[key] = height
        self.said += 1
        node.engine.step(Submitted(RELAYS_FROM + self.said, payload))


def answer(draw: Draw) -> SegmentAnswer:
    """What shows the drawn segment."""
    data = CHUNKS[draw.place]
    segments = segment_count(len(data))
    segment = draw.segment(segments)
    return SegmentAnswer(
        place=draw.place,
        chunk=IDS[draw.place],
        chunk_path=inclusion_proof(IDS, draw.place, session_tree_digest),
        segments=segments,
        segment=segment,
        data=data[segment * SEGMENT_BYTES :][:SEGMENT_BYTES],
        path=segment_proof(data, segment),
    )
