"""Storage proofs: what an epoch draws of what a node said it holds, what a proof is worth, and what a lie costs.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.challenges import ANSWERS, DRAWN_SESSIONS, SegmentAnswer, challenge_seed, draws, is_drawn, one_in
from lucid.chain.chunks import SEGMENT_BYTES, chunk_id, session_root
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.segments import segment_count, segment_proof
from lucid.chain.transactions import FalseProof, Ranges, SessionAnchor, StorageProof
from lucid.chain.versions import HOLDING_RULES, PROOF_RULES
from lucid.ledger.proofs import Challenge, keeper_in, open_challenge
from lucid.ledger.rows import KeeperEntry, due_key
from lucid.poot.credits import storage_credits
from tests.builders import Chain, make_genesis, secret

SIZES = (1_024, SEGMENT_BYTES, SEGMENT_BYTES + 1, 5 * SEGMENT_BYTES, 8 * SEGMENT_BYTES, 13 * SEGMENT_BYTES - 7, 2_000)
CHUNKS = [Random(number).randbytes(size) for number, size in enumerate(SIZES)]
IDS = [chunk_id(data) for data in CHUNKS]
ALL: Ranges = ((0, 7),)


def recorded(chain: Chain, number: int = 0, **changes: Any) -> SessionAnchor:
    """Session number N, whose chunks there are."""
    fields: dict[str, Any] = {"root": session_root(IDS), "chunks": len(IDS), "total_bytes": sum(SIZES)} | changes
    return chain.anchor(number, **fields)


def claimed(ranges: Ranges = ALL, epochs: int = 1, version: int = PROOF_RULES, **genesis: Any) -> Chain:
    """A chain at the beginning of an epoch; node 0 said in epoch 0 what it holds of session 0."""
    chain = Chain(make_genesis(rules=Activation(version), **genesis))
    chain.grow(recorded(chain))
    chain.grow(chain.holding(ranges=ranges))
    return later(chain, epochs)


def later(chain: Chain, epochs: int = 1) -> Chain:
    """So many epochs on, after the first block of that epoch."""
    until = chain.tip.core.head.epoch + epochs
    while chain.tip.core.head.epoch < until:
        chain.grow()
    return chain


def asked(chain: Chain, number: int = 0, node: int = 0) -> Challenge | None:
    anchor = chain.anchor(number)
    return open_challenge(chain.tip, chain.parameters.epoch_views, chain.node(node), anchor.session, anchor.owner)


def shown(place: int, segment: int, **changes: Any) -> SegmentAnswer:
    data = CHUNKS[place][segment * SEGMENT_BYTES :][:SEGMENT_BYTES]
    answer = SegmentAnswer(
        place=place,
        chunk=IDS[place],
        chunk_path=inclusion_proof(IDS, place, session_tree_digest),
        segments=segment_count(SIZES[place]),
        segment=segment,
        data=data,
        path=segment_proof(CHUNKS[place], segment),
    )
    return structs.replace(answer, **changes)


def proof(chain: Chain, number: int = 0, node: int = 0, signer: bytes | None = None, **changes: Any) -> StorageProof:
    """A node's answer to what is drawn of session number N, or of anything where nothing is."""
    anchor, challenge = chain.anchor(number), asked(chain, number, node)
    places = [] if challenge is None else challenge.draws
    answers = [shown(draw.place, draw.segment(segment_count(SIZES[draw.place]))) for draw in places]
    answers += [shown(0, 0)] * (ANSWERS - len(answers))
    blank = StorageProof(
        node=chain.node(node),
        owner=anchor.owner,
        session=anchor.session,
        epoch=chain.turn.epoch,
        answers=tuple(answers),
        signature=bytes(64),
    )
    return chain.sign(structs.replace(blank, **changes), signer or secret(f"node {node}"))


def broken(said: StorageProof, chain: Chain, **changes: Any) -> StorageProof:
    """The same with another first answer, signed by its node."""
    first, *others = said.answers
    return chain.sign(structs.replace(said, answers=(structs.replace(first, **changes), *others)), secret("node 0"))


def credits(chain: Chain, node: int = 0) -> int:
    return chain.tip.core.tally.credits[node]


def keeper(chain: Chain, node: int = 0) -> KeeperEntry:
    return keeper_in(chain.tip.row, chain.node(node), chain.tip.core.head.epoch)


# -- who is asked for what ------------------------------------------------------------------------------------------


def test_what_was_said_is_drawn_from_the_next_epoch_on_and_counts_once_in_each() -> None:
    chain = claimed(epochs=0)
    assert asked(chain) is None
    assert chain.verdict(proof(chain)) is Code.TX_PROOF_DUE
    for _ in range(3):
        later(chain)
        assert asked(chain) is not None
        said = proof(chain)
        assert chain.verdict(said) is None
        assert chain.verdict(said, said) is Code.TX_PROOF_DUE
        chain.grow(said)
        assert asked(chain) is None
        assert chain.verdict(proof(chain)) is Code.TX_PROOF_DUE
        stale = said
    assert chain.verdict(stale) is Code.TX_PROOF_DUE
    later(chain)
    assert chain.verdict(stale) is Code.TX_PROOF_EPOCH


def test_what_is_said_anew_is_not_drawn_in_its_epoch() -> None:
    chain = claimed()
    before = proof(chain)
    chain.grow(chain.holding(ranges=((0, 3),)))
    assert asked(chain) is None
    assert chain.verdict(before) is Code.TX_PROOF_DUE
    assert asked(later(chain)) is not None


def test_what_is_taken_back_is_asked_for_no_more() -> None:
    chain = claimed()
    chain.grow(chain.holding(ranges=()))
    anchor = chain.anchor()
    assert chain.tip.row(due_key(anchor.session, anchor.owner, chain.node(0))) is None
    assert (keeper(chain).opened, keeper(chain).sessions) == (1, 0)
    assert asked(later(chain)) is None
    assert chain.verdict(proof(chain)) is Code.TX_PROOF_DUE


def test_it_needs_rules_4_and_what_was_said_before_them_is_said_anew() -> None:
    old = claimed(version=HOLDING_RULES)
    assert old.verdict(proof(old)) is Code.TX_RULES
    assert old.verdict(FalseProof(proof(old))) is Code.TX_RULES
    anchor = old.anchor()
    assert old.tip.row(due_key(anchor.session, anchor.owner, old.node(0))) is None
    old.grow(old.schedule(PROOF_RULES, old.tip.core.head.height + 1 + old.parameters.epoch_views, 0))
    later(old, 3)
    assert old.tip.core.rules.version == PROOF_RULES
    assert old.verdict(proof(old)) is Code.TX_PROOF_DUE
    old.grow(old.holding(ranges=ALL))
    later(old)
    assert old.verdict(proof(old)) is None


def test_who_is_not_there_proves_nothing() -> None:
    chain = claimed()
    assert chain.verdict(proof(chain, node=7)) is Code.TX_NOT_MEMBER
    assert chain.verdict(proof(chain, signer=secret("stranger"))) is Code.TX_SIGNATURE
    assert chain.verdict(proof(chain, 1)) is Code.SESSION_UNKNOWN
    assert chain.verdict(proof(chain, node=1)) is Code.TX_PROOF_DUE
    chain.grow(chain.retire(0, 0))
    assert chain.verdict(proof(chain)) is Code.TX_NOT_MEMBER


def test_nothing_else_than_what_is_drawn_counts() -> None:
    chain = claimed()
    challenge, said = asked(chain), proof(chain)
    assert challenge is not None
    drawn = [(each.place, each.segment(segment_count(SIZES[each.place]))) for each in challenge.draws]
    assert [(each.place, each.segment) for each in said.answers] == drawn
    others = [(place, segment) for place in range(7) for segment in range(segment_count(SIZES[place]))]
    for place, segment in others:
        if (place, segment) != drawn[0]:
            again = proof(chain, answers=(shown(place, segment), said.answers[1]))
            assert chain.verdict(again) is Code.TX_PROOF_DRAW
    swapped = chain.sign(structs.replace(said, answers=said.answers[::-1]), secret("node 0"))
    assert chain.verdict(swapped) is (None if drawn[0] == drawn[1] else Code.TX_PROOF_DRAW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"segments": 0}, Code.TX_FIELD),
        ({"segments": 4_097}, Code.TX_FIELD),
        ({"segment": 4_096}, Code.TX_FIELD),
        ({"data": b""}, Code.TX_FIELD),
        ({"segments": 1, "segment": 0, "data": b"x" * 4_096}, Code.TX_PROOF_FALSE),
        ({"chunk": bytes(32)}, Code.TX_PROOF_FALSE),
        ({"chunk_path": ()}, Code.TX_PROOF_FALSE),
        ({"path": (bytes(32),) * 12}, Code.TX_PROOF_FALSE),
    ],
)
def test_a_forged_answer_is_refused_by_its_own_code(changes: dict[str, Any], code: Code) -> None:
    chain = claimed()
    said = broken(proof(chain), chain, **changes)
    assert chain.verdict(said) is code


# -- what it is worth -----------------------------------------------------------------------------------------------


def test_a_proof_is_credited_by_what_is_held_and_the_sizes_shown() -> None:
    chain = claimed(((1, 3), (5, 1)))
    before, said = credits(chain), proof(chain)
    votes = chain.build().ledger.core.tally.credits[0] - before
    chain.grow(said)
    sizes = sum(answer.segments for answer in said.answers) * SEGMENT_BYTES
    proven = min(4 * sizes // 2, sum(SIZES) * 4 // 7)
    found = keeper(chain)
    assert (found.opened, found.sessions, found.chunks, found.total_bytes) == (1, 1, 4, proven)
    assert credits(chain) == before + votes + 2 * 4 + 10 * proven // 2**30
    later(chain)
    assert (keeper(chain).chunks, keeper(chain).total_bytes) == (0, 0)


def test_no_more_bytes_count_than_the_session_was_anchored_with() -> None:
    chain = Chain(make_genesis(rules=Activation(PROOF_RULES)))
    chain.grow(recorded(chain, total_bytes=1_024))
    chain.grow(chain.holding(ranges=ALL))
    later(chain)
    chain.grow(proof(chain))
    assert keeper(chain).total_bytes == 1_024


def test_storage_earns_no_more_in_an_epoch_than_a_vote_in_each_view() -> None:
    chain = claimed()
    assert chain.parameters.epoch_views == 12
    chain.grow(recorded(chain, 1), recorded(chain, 2))
    chain.grow(chain.holding(1, ranges=ALL), chain.holding(2, ranges=ALL))
    later(chain)
    votes = credits(chain)
    built = chain.build().ledger.core.tally.credits[0]
    chain.grow(*[proof(chain, number) for number in range(3)])
    assert keeper(chain).chunks == 21
    assert credits(chain) - built == 12
    assert credits(chain) > votes


@given(first=st.tuples(st.integers(0, 10**7), st.integers(0, 2**50)), more=st.tuples(st.integers(0, 99), st.just(0)))
def test_more_is_never_worth_less(first: tuple[int, int], more: tuple[int, int]) -> None:
    assert storage_credits(3, 2**31 + 2**30 - 1, 100) == 26 + 9
    both = first[0] + more[0], first[1] + more[1]
    assert 0 <= storage_credits(*first, 8_640) <= storage_credits(*both, 8_640) <= 8_640


# -- what is drawn --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sessions", "one"), [(0, 1), (1, 1), (32, 1), (33, 2), (64, 2), (65, 3), (1_000_000, 31_250)])
def test_of_many_sessions_some_are_drawn(sessions: int, one: int) -> None:
    assert one_in(sessions) == one and sessions <= one * DRAWN_SESSIONS


def test_each_session_and_each_chunk_is_drawn_about_as_often() -> None:
    seeds = [challenge_seed(bytes([number, epoch]) * 16, bytes(32), bytes(16), bytes(32)) for number in range(40)
             for epoch in range(50)]  # fmt: skip
    assert 800 < sum(is_drawn(seed, 2) for seed in seeds) < 1_200
    places = Counter(draw.place for seed in seeds for draw in draws(seed, ((2, 3), (7, 2))))
    assert sorted(places) == [2, 3, 4, 7, 8] and min(places.values()) > 600
    assert len({draw.lot for seed in seeds for draw in draws(seed, ALL)}) == 2 * len(seeds)


def test_whether_many_sessions_are_drawn_is_fixed_as_the_epoch_opens() -> None:
    chain = Chain(make_genesis(rules=Activation(PROOF_RULES), max_block_transactions=1_000))
    numbers = range(DRAWN_SESSIONS + 1)
    chain.grow(*[recorded(chain, number) for number in numbers])
    chain.grow(*[chain.holding(number, ranges=ALL) for number in numbers])
    later(chain)
    drawn = [number for number in numbers if asked(chain, number) is not None]
    assert 0 < len(drawn) < len(numbers)
    for number in numbers:
        assert chain.verdict(proof(chain, number)) is (None if number in drawn else Code.TX_PROOF_DRAW)
    chain.grow(*[chain.holding(number, ranges=()) for number in numbers if number not in drawn][:5])
    assert keeper(chain).sessions < DRAWN_SESSIONS < keeper(chain).opened
    assert [number for number in numbers if asked(chain, number) is not None] == drawn
    chain.grow(proof(chain, drawn[0]))
    assert keeper(chain).chunks == 14  # it stands for two
    later(chain)
    assert all(asked(chain, number) is not None for number in drawn)


# -- what a lie costs -----------------------------------------------------------------------------------------------


def test_a_false_answer_that_was_signed_is_evidence_once_an_epoch() -> None:
    chain = claimed()
    said = proof(chain)
    lie, other = broken(said, chain, chunk=bytes(32)), broken(said, chain, chunk=bytes([1] * 32))
    assert chain.verdict(lie) is Code.TX_PROOF_FALSE
    assert chain.verdict(FalseProof(said)) is Code.TX_PROOF_TRUE
    assert chain.verdict(FalseProof(lie)) is None
    chain.grow(FalseProof(lie))
    until = chain.tip.core.head.epoch + chain.parameters.evidence_epochs
    assert chain.tip.core.tally.evidence_until == (until, 0, 0, 0)
    for again in (lie, other):
        assert chain.verdict(FalseProof(again)) is Code.TX_EVIDENCE_TWICE
    later(chain)
    newer = broken(proof(chain), chain, chunk_path=())
    assert chain.verdict(FalseProof(newer)) is None


def test_what_accuses_nobody() -> None:
    chain = claimed()
    lie = broken(proof(chain), chain, chunk=bytes(32))
    assert chain.verdict(FalseProof(structs.replace(lie, node=chain.node(7)))) is Code.TX_NOT_MEMBER
    assert chain.verdict(FalseProof(structs.replace(lie, epoch=2))) is Code.TX_PROOF_EPOCH
    assert chain.verdict(FalseProof(structs.replace(lie, signature=bytes(64)))) is Code.TX_SIGNATURE
    unknown = chain.sign(structs.replace(lie, session=chain.anchor(5).session), secret("node 0"))
    assert chain.verdict(FalseProof(unknown)) is Code.SESSION_UNKNOWN
    chain.grow(chain.retire(0, 0))
    assert chain.verdict(FalseProof(lie)) is None


def test_a_proof_that_anybody_drew_otherwise_is_no_evidence() -> None:
    """Which segments it shows does not matter, nor when: only that they are the session's."""
    chain = claimed()
    said = proof(chain, answers=(shown(3, 1), shown(5, 12)))
    assert chain.verdict(said) is Code.TX_PROOF_DRAW
    assert chain.verdict(FalseProof(said)) is Code.TX_PROOF_TRUE


@given(data=st.data())
def test_no_answer_about_another_place_holds(data: st.DataObject) -> None:
    """Over-claims: of a chunk's size, of the session's, or of where something stands."""
    place = data.draw(st.integers(0, 6))
    answer = shown(place, data.draw(st.integers(0, segment_count(SIZES[place]) - 1)))
    assert answer.in_bounds and answer.leads_to(session_root(IDS), 7)
    field = data.draw(st.sampled_from(("place", "segment", "data", "chunk", "path", "chunk_path")))
    values: dict[str, Any] = {
        "place": (answer.place + data.draw(st.integers(1, 6))) % 7,
        "segment": answer.segment + 1,
        "data": answer.data[:-1],
        "chunk": IDS[(place + 1) % 7],
        "path": (*answer.path, bytes(32)),
        "chunk_path": answer.chunk_path[:-1],
    }
    changed = structs.replace(answer, **{field: values[field]})
    assert not changed.leads_to(session_root(IDS), 7)
    assert decode(encode(answer), SegmentAnswer) == answer
