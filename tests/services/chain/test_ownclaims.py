"""What a node claims on the chain that it holds: signed with its key, and only what holds."""

from __future__ import annotations

import msgspec
import pytest

from lucid.chain.challenges import SegmentAnswer
from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.codec import encode
from lucid.chain.errors import Code, LucidError
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.transactions import StorageProof, claim_message
from lucid.services.chain.ownclaims import CopiesBrought, Declaring, Holding, OwnClaims, Showing
from tests.builders import CRYPTO, make_genesis

BODIES = [bytes([number]) * (1_500 + 7_000 * number) for number in range(5)]
IDS = [chunk_id(data) for data in BODIES]
SESSION = b"s" * 16 + b"o" * 32
ROOT = session_root(IDS)


def test_nothing_is_signed_that_does_not_lead_to_the_root() -> None:
    chain_id, key = make_genesis().chain_id, CRYPTO.public_key(bytes(32))
    claims = OwnClaims(key, bytes(32), CRYPTO, chain_id)
    answer = SegmentAnswer(
        place=0,
        chunk=IDS[0],
        chunk_path=inclusion_proof(IDS, 0, session_tree_digest),
        segments=1,
        segment=0,
        data=BODIES[0],
        path=(),
    )

    def signed(root: bytes, *answers: SegmentAnswer) -> StorageProof:
        said = Showing(SESSION.hex(), 2, root.hex(), 5, encode(answers).hex())
        return claims.proof(said)

    proof = signed(ROOT, answer, answer)
    assert (proof.session + proof.owner, proof.epoch, proof.node) == (SESSION, 2, key)
    assert CRYPTO.verify(key, claim_message(chain_id, proof), proof.signature)
    for root, answers in ((bytes(32), (answer, answer)), (ROOT, (answer, msgspec.structs.replace(answer, place=1)))):
        with pytest.raises(LucidError) as found:
            signed(root, *answers)
        assert found.value.code is Code.TX_PROOF_FALSE
    with pytest.raises(LucidError) as found:
        signed(ROOT, answer)
    assert found.value.code is Code.MALFORMED


def test_what_is_held_is_signed_by_the_node_that_says_so() -> None:
    chain_id, key = make_genesis().chain_id, CRYPTO.public_key(bytes(32))
    holding = OwnClaims(key, bytes(32), CRYPTO, chain_id).holding(Holding(SESSION.hex(), 7, ((0, 5),)))
    assert (holding.session + holding.owner, holding.node) == (SESSION, key)
    assert (holding.height, holding.ranges) == (7, ((0, 5),))
    assert CRYPTO.verify(key, claim_message(chain_id, holding), holding.signature)


def test_what_came_from_a_relay_is_signed_by_the_node_that_fetched_it() -> None:
    chain_id, key = make_genesis().chain_id, CRYPTO.public_key(bytes(32))
    said = CopiesBrought(session=SESSION.hex(), relay=bytes([9] * 32).hex(), height=7, chunks=5)
    receipt = OwnClaims(key, bytes(32), CRYPTO, chain_id).receipt(said)
    assert (receipt.session + receipt.owner, receipt.node, receipt.relay) == (SESSION, key, bytes([9] * 32))
    assert (receipt.height, receipt.chunks) == (7, 5)
    assert CRYPTO.verify(key, claim_message(chain_id, receipt), receipt.signature)


def test_what_a_node_has_room_for_is_signed_by_it() -> None:
    chain_id, key = make_genesis().chain_id, CRYPTO.public_key(bytes(32))
    capacity = OwnClaims(key, bytes(32), CRYPTO, chain_id).capacity(Declaring(height=7, tickets=4))
    assert (capacity.node, capacity.height, capacity.tickets) == (key, 7, 4)
    assert CRYPTO.verify(key, claim_message(chain_id, capacity), capacity.signature)
