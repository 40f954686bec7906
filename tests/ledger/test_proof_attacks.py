"""What a lying node tries with storage proofs: to choose what is drawn, to claim more, to break the count."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import cast

import pytest
from msgspec import structs

from lucid.chain.challenges import Draw, SegmentAnswer, challenge_seed, draws
from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, session_root
from lucid.chain.codec import encode
from lucid.chain.errors import Code
from lucid.chain.fields import MAX_NATURAL
from lucid.chain.genesis import Activation
from lucid.chain.segments import segment_count, segment_proof
from lucid.chain.versions import PROOF_RULES
from lucid.ledger.rows import KeeperEntry, keeper_key
from tests.builders import Chain, make_genesis
from tests.ledger.test_proofs import claimed, keeper, later, proof, recorded

SEEDS = 120
"""Epochs in which a liar tries."""


def answerable(data: bytes, draw: Draw, held: Collection[int]) -> bool:
    """Whether who holds these segments of a session's only chunk has an answer to a draw, whatever size it says."""
    identity, sizes = chunk_id(data), range(1, 2 * segment_count(len(data)) + 2)
    for segments in sizes:
        number = draw.segment(segments)
        if number in held:
            answer = SegmentAnswer(
                place=0, chunk=identity, chunk_path=(), segments=segments, segment=number,
                data=data[number * SEGMENT_BYTES :][:SEGMENT_BYTES], path=segment_proof(data, number),
            )  # fmt: skip
            if answer.in_bounds and answer.leads_to(session_root([identity]), 1):
                return True
    return False


def passed(segments: int, held: Collection[int]) -> float:
    """How large a part of the epochs' proofs passes of a chunk of which only these segments are held."""
    data = Random(segments).randbytes((segments - 1) * SEGMENT_BYTES + 100)
    found = 0
    for number in range(SEEDS):
        seed = challenge_seed(number.to_bytes(32, "big"), bytes(32), bytes(16), bytes(32))
        found += all(answerable(data, draw, held) for draw in draws(seed, ((0, 1),)))
    return found / SEEDS


@pytest.mark.parametrize("segments", [16, 21, *(pytest.param(each, marks=pytest.mark.slow) for each in (33, 48))])
@pytest.mark.parametrize("every", [4, 8])
def test_no_size_that_a_liar_says_draws_a_segment_that_it_has(segments: int, every: int) -> None:
    """The chain does not know a chunk's size: who could choose it by the lot would choose the segment."""
    assert passed(segments, range(segments)) == 1
    assert passed(segments, range(0, segments, every)) < 1 / every


@pytest.mark.parametrize("held", [range(8), range(8, 16), (15,), (0,)])
def test_no_part_of_a_chunk_passes_more_often_than_it_is_large(held: Collection[int]) -> None:
    assert passed(16, held) <= len(held) / 16 + 0.1


def best_lie(segments: int) -> float:
    """The most that who holds a part of a chunk of so many segments earns, against who holds as much honestly.

    A chunk's tree is a row of perfect trees. The first answer is of the largest, the second of each by its depth; who
    lacks the largest passes never, so it is held, and of the others those that are drawn most for their size.
    """
    sizes = [1 << bit for bit in reversed(range(13)) if segments >> bit & 1]
    weights = [2.0 ** -min(number + 1, len(sizes) - 1) for number in range(len(sizes))]
    others = sorted(zip(sizes[1:], weights[1:], strict=True), key=lambda each: each[0] / each[1])
    held, weight = sizes[0], weights[0]
    best = weight / (held / segments)
    for size, more in others:
        held, weight = held + size, weight + more
        best = max(best, weight / (held / segments))
    return best


def test_what_any_size_of_chunk_leaves_to_a_lie() -> None:
    for segments in range(1, 4_097):
        assert best_lie(segments) <= (1 if segments & (segments - 1) == 0 else 9 / 8)


def test_a_size_that_is_not_the_chunk_s_counts_no_more_than_the_session_has() -> None:
    """Of a session that is held in part, its part of the bytes that its owner signed for."""
    chain = Chain(make_genesis(rules=Activation(PROOF_RULES)))
    chain.grow(recorded(chain, total_bytes=7_000))
    chain.grow(chain.holding(ranges=((1, 2),)))
    later(chain)
    chain.grow(proof(chain))
    assert keeper(chain).total_bytes == 2_000


def test_sums_that_no_number_holds_stop_nobody() -> None:
    """A session of a million chunks costs its owner one transaction, and stands for thousands where a node has said
    that it holds a million such: the sum must not be what no row can say."""
    chain = claimed()
    keepers = keeper_key(chain.node(0))
    rows = cast("dict[bytes, bytes | None]", chain.tip.rows)
    rows[keepers] = encode(KeeperEntry(chain.turn.epoch, 1, 1, MAX_NATURAL, 2**64 - 1))
    said = proof(chain)
    assert chain.verdict(said) is None
    chain.grow(said)
    assert (keeper(chain).chunks, keeper(chain).total_bytes) == (MAX_NATURAL, MAX_NATURAL)


def test_a_proof_of_another_chain_epoch_or_owner_is_not_this_one() -> None:
    chain, other = claimed(), claimed(evidence_epochs=5)
    assert other.chain_id != chain.chain_id
    assert chain.verdict(proof(other)) is Code.TX_SIGNATURE
    said = proof(chain)
    assert chain.verdict(structs.replace(said, owner=chain.node(3))) is Code.TX_SIGNATURE
    assert chain.verdict(structs.replace(said, node=chain.node(1))) is Code.TX_SIGNATURE
    later(chain)
    assert chain.verdict(structs.replace(said, epoch=chain.turn.epoch)) is Code.TX_SIGNATURE
    assert chain.verdict(said) is Code.TX_PROOF_EPOCH


def test_a_node_that_is_retired_while_it_is_asked_earns_nothing_and_stops_nobody() -> None:
    chain = claimed()
    chain.grow(chain.holding(node=1, ranges=((0, 7),)))
    later(chain)
    said, others = proof(chain), proof(chain, node=1)
    chain.grow(chain.retire(0, 0))
    assert chain.verdict(said) is Code.TX_NOT_MEMBER
    assert chain.verdict(others) is None
    later(chain)
    assert chain.verdict(proof(chain)) is Code.TX_NOT_MEMBER and chain.verdict(proof(chain, node=1)) is None
