"""Storage proofs, one rule after another as the text lists them (protocol sections 5 and 6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.reference.relaying import NaiveRelays
from harness.reference.state import NaiveState, require
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import challenge_digest, session_tree_digest
from lucid.chain.keys import Crypto
from lucid.chain.merkle import verify_inclusion
from lucid.chain.parameters import Parameters
from lucid.chain.segments import verify_segment
from lucid.chain.transactions import (
    ReplicaHolding,
    StorageProof,
    claim_message,
)

Row = tuple[int, ...]


class Proven(NamedTuple):
    """What one storage proof showed: a node, in an epoch and slot, times the sessions that it stood for; and the relay
    of that copy, if this is its first proof, with how many of how many chunks it brought."""

    slot: int
    epoch: int
    node: bytes
    chunks: int
    size: int
    times: int
    relay: bytes | None
    came: int
    held: int


def worth(parameters: Parameters, chunks: int, size: int, relayed: int = 0) -> int:
    """What a node proved in an epoch, in credits: no more than one vote in each of its views, what it relayed in that
    epoch included."""
    most = parameters.epoch_slots * parameters.slot_views * parameters.vote_credits
    return min(most - relayed, 2 * chunks + 10 * size // 2**30)


def room(parameters: Parameters, chunks: int, size: int, relayed: int) -> int:
    """What a node of so much storage can still be paid as a relay in the epoch."""
    most = parameters.epoch_slots * parameters.slot_views * parameters.vote_credits
    return most - relayed - worth(parameters, chunks, size, relayed)


def descended(segments: range, way: str) -> int:
    """The segment at which a way down a chunk's tree ends, where 0 is left."""
    if len(segments) == 1:
        return segments[0]
    left = 1
    while 2 * left < len(segments):
        left *= 2
    return descended(segments[left:] if way[0] == "1" else segments[:left], way[1:])


class NaiveStorage:
    """Holdings that may be proven, and proofs, on rows decoded anew each time."""

    def __init__(self, genesis: Genesis, crypto: Crypto) -> None:
        self.parameters = genesis.parameters
        self.chain_id = genesis.chain_id
        self.crypto = crypto

    def claim(self, state: NaiveState, holding: ReplicaHolding) -> None:
        """A node said what it holds: from the next epoch on it may prove that."""
        if state.rules_version < 4:
            return
        key = b"d" + holding.session + holding.owner + holding.node
        before = len(self._claims(state, holding.node))
        if holding.ranges:
            state.remember(key, encode((state.epoch + 1,)))
        else:
            state.remove(key)
        after = len(self._claims(state, holding.node))
        if before != after:
            epoch, opened, _, chunks, size = self._keeper(state, holding.node, before)
            state.remember(b"k" + holding.node, encode((epoch, opened, after, chunks, size)))

    def prove(self, state: NaiveState, proof: StorageProof) -> None:
        """Judge a proof, and credit it."""
        require(state.rules_version >= 4, Code.TX_RULES)
        require(state.active(proof.node), Code.TX_NOT_MEMBER)
        for answer in proof.answers:
            require(1 <= answer.segments <= 4_096 and answer.segment < answer.segments, Code.TX_FIELD)
            last = answer.segment + 1 == answer.segments
            require(1 <= len(answer.data) <= 4_096 if last else len(answer.data) == 4_096, Code.TX_FIELD)
        require(proof.epoch == state.epoch, Code.TX_PROOF_EPOCH)
        message = claim_message(self.chain_id, proof)
        require(self.crypto.verify(proof.node, message, proof.signature), Code.TX_SIGNATURE)
        session = state.decoded(b"s" + proof.session + proof.owner)
        require(session is not None, Code.SESSION_UNKNOWN)
        key = b"d" + proof.session + proof.owner + proof.node
        claim = state.decoded(key)
        require(claim is not None and claim[0] <= state.epoch, Code.TX_PROOF_DUE)
        epoch, opened, sessions, chunks, size = self._keeper(state, proof.node, len(self._claims(state, proof.node)))
        times = max(1, (opened + 31) // 32)
        beacon = state.decoded(b"b")[1]
        seed = challenge_digest(beacon + proof.node + proof.session + proof.owner)
        require(int.from_bytes(seed[:8], "big") % times == 0, Code.TX_PROOF_DRAW)
        _, ranges = state.decoded(b"q" + key[1:])
        held = [place for first, count in ranges for place in range(first, first + count)]
        for number, answer in enumerate(proof.answers):
            lot = challenge_digest(seed + bytes([number]))
            require(answer.place == held[int.from_bytes(lot[:8], "big") % len(held)], Code.TX_PROOF_DRAW)
            way = format(int.from_bytes(lot[8:16], "big"), "064b")
            way = "0" + way[1:] if number == 0 else way
            require(answer.segment == descended(range(answer.segments), way), Code.TX_PROOF_DRAW)
        require(self._holds(session, proof), Code.TX_PROOF_FALSE)
        shown = sum(answer.segments * 4_096 for answer in proof.answers)
        proven = min(len(held) * shown // 2, session[4] * len(held) // session[3])
        state.remember(key, encode((state.epoch + 1,)))
        after = min(2**53, chunks + times * len(held)), min(2**53, size + times * proven)
        state.remember(b"k" + proof.node, encode((epoch, opened, sessions, *after)))
        relayed = NaiveRelays.paid(state, proof.node)
        gain = worth(self.parameters, *after, relayed) - worth(self.parameters, chunks, size, relayed)
        relay, share, due = NaiveRelays.owed(state, proof.node, key[1:-32], gain // times, len(held))
        self._credit(state, proof.node, gain - share)
        if relay is not None:
            _, _, _, chunks, size = self._keeper(state, relay, len(self._claims(state, relay)))
            paid = min(due, room(self.parameters, chunks, size, NaiveRelays.paid(state, relay)))
            if paid > 0:
                self._credit(state, relay, paid)
                NaiveRelays.pay(state, relay, paid)

    def accuse(self, state: NaiveState, proof: StorageProof) -> None:
        """Judge evidence: a signed proof that does not hold."""
        require(state.rules_version >= 4, Code.TX_RULES)
        number = state.number(proof.node)
        if number is None:
            raise Refusal(Code.TX_NOT_MEMBER)
        require(proof.epoch <= state.epoch, Code.TX_PROOF_EPOCH)
        message = claim_message(self.chain_id, proof)
        require(self.crypto.verify(proof.node, message, proof.signature), Code.TX_SIGNATURE)
        session = state.decoded(b"s" + proof.session + proof.owner)
        require(session is not None, Code.SESSION_UNKNOWN)
        require(not self._holds(session, proof), Code.TX_PROOF_TRUE)
        key = b"f" + number.to_bytes(4, "big") + proof.epoch.to_bytes(8, "big")
        require(key not in state.forever, Code.TX_EVIDENCE_TWICE)
        state.remember(key, b"\x01")
        until = state.epoch + self.parameters.evidence_epochs
        state.evidence_until[number] = max(state.evidence_until[number], until)

    @staticmethod
    def _credit(state: NaiveState, node: bytes, more: int) -> None:
        credits, _ = state.work(state.slot)
        [number] = [number for number, member in enumerate(state.members) if member.key == node]
        credits[number] += more

    def _claims(self, state: NaiveState, node: bytes) -> list[bytes]:
        return [key for key in state.forever if key[:1] == b"d" and key.endswith(node)]

    def _keeper(self, state: NaiveState, node: bytes, sessions: int) -> Row:
        row = state.decoded(b"k" + node) or (state.epoch, 0, 0, 0, 0)
        assert row[2] == sessions, "the count of a node's sessions is that of its rows"
        return tuple(row) if row[0] == state.epoch else (state.epoch, row[2], row[2], 0, 0)

    @staticmethod
    def _holds(session: Any, proof: StorageProof) -> bool:
        root, chunks = session[2:4]
        return all(
            verify_segment(answer.chunk, answer.segments * 4_096, answer.segment, answer.data, answer.path)
            and verify_inclusion(answer.chunk, answer.place, chunks, answer.chunk_path, root, session_tree_digest)
            for answer in proof.answers
        )
