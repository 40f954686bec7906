"""What storage proofs cost a validator: a block full of them against one without, judged on the same ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from statistics import median

from blake3 import blake3
from msgspec import structs

from harness.bench.row import Row, Say
from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, assemble
from lucid.chain.challenges import Draw, SegmentAnswer
from lucid.chain.chunks import SEGMENT_BYTES, ChunkHasher, session_root
from lucid.chain.genesis import Activation, GenesisNode, GenesisOfRules
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.parameters import Parameters
from lucid.chain.segments import proof_of_leaves, segment_count
from lucid.chain.transactions import (
    Payload,
    ReplicaHolding,
    SessionAnchor,
    SignedClaim,
    StorageProof,
    Transaction,
    claim_message,
    endorsement_message,
)
from lucid.chain.versions import PROOF_RULES
from lucid.chain.votes import FINALIZE, NOTARIZE, vote_message
from lucid.ledger.memory import MemoryStore
from lucid.ledger.proofs import open_challenge
from lucid.ledger.state import genesis_ledger
from lucid.ledger.turn import Turn
from lucid.ledger.validation import Validator
from lucid.poot.crypto import Edwards25519

NODES = 4
SESSIONS = 32
"""Of each node; all are drawn, and a block has no room for all proofs of four nodes."""
CHUNK_BYTES = 8 << 20
CHUNKS = 500
ROUNDS = 9
UNSIGNED = bytes(64)


class _Storage:
    """A chunk, and a session that has it many times over."""

    def __init__(self) -> None:
        self.data = Random(7).randbytes(CHUNK_BYTES)
        hasher = ChunkHasher()
        hasher.update(self.data)
        self._leaves, chunk = hasher.leaves(), hasher.id()
        self._ids = [chunk] * CHUNKS
        self.root = session_root(self._ids)

    def answer(self, draw: Draw) -> SegmentAnswer:
        """What shows a segment that was drawn."""
        segments = segment_count(CHUNK_BYTES)
        number = draw.segment(segments)
        return SegmentAnswer(
            place=draw.place,
            chunk=self._ids[draw.place],
            chunk_path=inclusion_proof(self._ids, draw.place, session_tree_digest),
            segments=segments,
            segment=number,
            data=self.data[number * SEGMENT_BYTES :][:SEGMENT_BYTES],
            path=proof_of_leaves(self._leaves, number),
        )


class _ProvingChain:
    """A chain of epochs of twelve views, with all secrets, under the rules that have proofs."""

    def __init__(self) -> None:
        self.crypto = Edwards25519()
        seeds = [blake3(b"node %d" % number).digest() for number in range(NODES)]
        self.secrets = {self.crypto.public_key(seed): seed for seed in seeds}
        self.nodes = list(self.secrets)
        members = tuple(GenesisNode(key, f"n{number}") for number, key in enumerate(self.nodes))
        parameters = Parameters(epoch_slots=1)
        self.genesis = GenesisOfRules(1, members, (), 0, parameters, rules=Activation(PROOF_RULES)).check()
        self.parameters = parameters
        self.validator = Validator(self.genesis, self.crypto)
        self.hash = self.genesis.chain_id
        self._store = MemoryStore()
        self.ledger = genesis_ledger(self.genesis, self._store)
        self._settle()

    def block(self, candidates: tuple[Transaction, ...] = ()) -> Block:
        """The next block, with what has room of these."""
        turn, head = Turn(self.ledger, self.parameters), self.ledger.core.head
        view = turn.parent_view + 1
        leader = self.ledger.core.roster.members[turn.leader(view)].key
        proof = self.crypto.vrf_prove(self.secrets[leader], head.beacon)
        certificate = self._certificate(turn)
        built = self.validator.build(
            self.ledger,
            self.hash,
            turn,
            certificate=certificate,
            view=view,
            tick=head.tick + 1,
            vrf_proof=proof,
            late_votes=(),
            candidates=candidates,
        )
        assert not built.rejected, built.rejected
        signature = self.crypto.sign(self.secrets[leader], built.header.hash)
        return Block(built.header, signature, certificate, (), built.transactions)

    def judge(self, block: Block) -> None:
        """As each validator does, and its ledger is thrown away."""
        self.validator.judge(block, self.ledger, self.hash, Turn(self.ledger, self.parameters))

    def grow(self, *payloads: Payload) -> None:
        """A block with all of these."""
        block = self.block(tuple(self.endorsed(each) for each in payloads))
        assert len(block.transactions) == len(payloads), "there is room for all"
        self.ledger = self.validator.judge(block, self.ledger, self.hash, Turn(self.ledger, self.parameters))
        self.hash = block.header.hash
        self._settle()

    def signed(self, payload: SignedClaim, seed: bytes) -> SignedClaim:
        """A payload with its owner's or node's signature."""
        signature = self.crypto.sign(seed, claim_message(self.genesis.chain_id, payload))
        return structs.replace(payload, signature=signature)

    def endorsed(self, payload: Payload) -> Transaction:
        """A transaction by the first node."""
        blank = Transaction(payload, self.nodes[0], self.ledger.core.head.height + 100, UNSIGNED)
        message = endorsement_message(self.genesis.chain_id, blank.id, blank.valid_until)
        return structs.replace(blank, endorsement=self.crypto.sign(self.secrets[blank.endorser], message))

    def _certificate(self, turn: Turn) -> Certificate | None:
        head, validators = self.ledger.core.head, self.ledger.validators
        if head.height == 0:
            return None
        kind = FINALIZE if turn.epoch != head.epoch else NOTARIZE
        message = vote_message(self.genesis.chain_id, head.epoch, head.view, kind, self.hash)
        signatures = {
            place: self.crypto.sign(self.secrets[validators.keys[place]], message) for place in range(validators.quorum)
        }
        return assemble(head.epoch, head.view, kind, self.hash, signatures, len(validators))

    def _settle(self) -> None:
        self._store.write(self.ledger.flush())
        self.ledger.settle()


def bench_proofs(say: Say) -> list[Row]:
    """Judge a block that is full of storage proofs, in turns with one that has none."""
    say(f"proofs: {NODES * SESSIONS} of sessions of {CHUNKS} chunks")
    chain, storage = _ProvingChain(), _Storage()
    proofs = _proofs(chain, storage)
    bare, full = chain.block(), chain.block(tuple(chain.endorsed(each) for each in proofs))
    count, alone, together = len(full.transactions), list[float](), list[float]()
    for turn in range(ROUNDS):
        say(f"proofs: round {turn + 1} of {ROUNDS}")
        alone.append(_cpu_s(lambda: chain.judge(bare)))
        together.append(_cpu_s(lambda: chain.judge(full)))
    more_s = median(together) - median(alone)
    message, key = bytes(32), chain.nodes[0]
    signature = chain.crypto.sign(chain.secrets[key], message)
    verify_s = median(_cpu_s(lambda: chain.crypto.verify(key, message, signature)) for _ in range(500))
    share = median(together) * 1_000 / chain.parameters.block_interval_ms
    return [
        Row("proofs", "a storage proof in a block: microseconds of CPU to judge", more_s / count * 1e6, "", None),
        Row("proofs", "the same: times the verification of a signature", more_s / count / verify_s, "", None),
        Row("proofs", "proofs that a block has room for", count, "", None),
        Row("proofs", "judging such a block: share of its 10 s on one core", share, "", None),
    ]


def _proofs(chain: _ProvingChain, storage: _Storage) -> list[StorageProof]:
    """All that the nodes are to show in the second epoch of sessions that they said in the first that they hold."""
    owner_seed = blake3(b"owner").digest()
    owner = chain.crypto.public_key(owner_seed)
    sessions = [bytes([number]) + bytes(5) + b"\x40\x00\x80" + bytes(7) for number in range(SESSIONS)]
    fields = bytes(32), storage.root, CHUNKS, CHUNKS * CHUNK_BYTES, b"", UNSIGNED
    chain.grow(*[chain.signed(SessionAnchor(session, owner, 1, 2, *fields), owner_seed) for session in sessions])
    pairs = [(node, session) for node in chain.nodes for session in sessions]
    holdings = [ReplicaHolding(node, owner, session, 1, ((0, CHUNKS),), UNSIGNED) for node, session in pairs]
    chain.grow(*[chain.signed(each, chain.secrets[each.node]) for each in holdings])
    while chain.ledger.core.head.epoch == 0:
        chain.grow()
    found = []
    for node, session in pairs:
        asked = open_challenge(chain.ledger, chain.parameters.epoch_views, node, session, owner)
        assert asked is not None, "so few sessions are all drawn"
        answers = tuple(storage.answer(draw) for draw in asked.draws)
        proof = chain.signed(StorageProof(node, owner, session, 1, answers, UNSIGNED), chain.secrets[node])
        assert isinstance(proof, StorageProof)
        found.append(proof)
    return found


def _cpu_s(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began
