"""Votes: what each signs, which are well formed, and which two are evidence."""

from __future__ import annotations

import itertools

import pytest
from blake3 import blake3
from hypothesis import given
from msgspec import structs

from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Kind, Vote, conflict, vote_message
from tests.messagepack import pack
from tests.strategies import values

A, B = bytes([1]) * 32, bytes([2]) * 32
SIGNER, OTHER = bytes([3]) * 32, bytes([4]) * 32

# Protocol section 4: what one validator may and may not sign in one view, for the same block and for two.
EVIDENCE_ON_ANOTHER_BLOCK = {(PROPOSE, PROPOSE), (NOTARIZE, NOTARIZE), (FINALIZE, FINALIZE)}
EVIDENCE_ALWAYS = {(SKIP, FINALIZE), (FINALIZE, SKIP)}


def vote(kind: int, block: bytes = A, view: int = 5, epoch: int = 1, signer: bytes = SIGNER) -> Vote:
    return Vote(epoch, view, kind, b"" if kind == SKIP else block, signer, bytes(64))


def test_the_numbers_of_the_kinds() -> None:
    assert [(kind.name, int(kind)) for kind in Kind] == [("PROPOSE", 0), ("NOTARIZE", 1), ("SKIP", 2), ("FINALIZE", 3)]
    assert (PROPOSE, NOTARIZE, SKIP, FINALIZE) == (0, 1, 2, 3)


@pytest.mark.parametrize("kind", Kind)
def test_exactly_the_votes_that_name_a_block_carry_one(kind: Kind) -> None:
    for block, holds in ((A, kind != SKIP), (b"", kind == SKIP), (A[:31], False)):
        assert Vote(0, 1, kind, block, SIGNER, bytes(64)).well_formed is holds


@pytest.mark.parametrize("kind", Kind)
def test_there_is_no_vote_in_view_0(kind: Kind) -> None:
    assert vote(kind, view=1).well_formed
    assert not vote(kind, view=0).well_formed


@pytest.mark.parametrize(("first", "second"), list(itertools.product(Kind, Kind)))
def test_conflict(first: Kind, second: Kind) -> None:
    assert conflict(vote(first), vote(second)) is ((first, second) in EVIDENCE_ALWAYS)
    expected = (first, second) in EVIDENCE_ALWAYS | EVIDENCE_ON_ANOTHER_BLOCK
    assert conflict(vote(first, A), vote(second, B)) is expected


@pytest.mark.parametrize("elsewhere", [{"view": 6}, {"epoch": 2}, {"signer": OTHER}])
def test_votes_of_another_view_epoch_or_signer_are_no_conflict(elsewhere: dict[str, object]) -> None:
    for first, second in [(NOTARIZE, NOTARIZE), (SKIP, FINALIZE)]:
        assert conflict(vote(first, A), vote(second, B))
        assert not conflict(vote(first, A), structs.replace(vote(second, B), **elsewhere))


@given(values(Vote), values(Vote))
def test_a_conflict_has_two_sides_and_none_with_itself(first: Vote, second: Vote) -> None:
    assert not conflict(first, first)
    second = structs.replace(second, epoch=first.epoch, view=first.view, signer=first.signer)
    assert conflict(first, second) is conflict(second, first)


def test_a_vote_signs_the_chain_and_all_that_it_says() -> None:
    hasher = blake3(derive_key_context="lucid vote v1")
    hasher.update(pack((A, 2, 3, NOTARIZE, B)))
    assert vote_message(A, 2, 3, NOTARIZE, B) == hasher.digest()


def test_each_part_of_a_vote_changes_what_is_signed() -> None:
    statements = [
        (A, 2, 3, NOTARIZE, B),
        (B, 2, 3, NOTARIZE, B),
        (A, 1, 3, NOTARIZE, B),
        (A, 2, 4, NOTARIZE, B),
        (A, 2, 3, FINALIZE, B),
        (A, 2, 3, NOTARIZE, A),
        (A, 2, 3, SKIP, b""),
        (A, 3, 2, NOTARIZE, B),
    ]
    assert len({vote_message(*statement) for statement in statements}) == len(statements)
