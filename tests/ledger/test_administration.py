"""The rules of administrative requests and of evidence: bounds and codes.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from lucid.chain.errors import Code
from lucid.chain.transactions import Equivocation
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP
from lucid.ledger.rows import evidence_key
from lucid.poot.members import Member
from tests.builders import Chain, digest, grown, make_genesis, secret

# -- administration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "n"}, None),
        ({"name": "n" * 64}, None),
        ({"name": "ß" * 32, "pool": "ß" * 32}, None),
        ({"pool": "p" * 64}, None),
        ({"name": ""}, Code.TX_FIELD),
        ({"name": "n" * 65}, Code.TX_FIELD),
        ({"name": "ß" * 33}, Code.TX_FIELD),
        ({"pool": "p" * 65}, Code.TX_FIELD),
        ({"pool": "ß" * 33}, Code.TX_FIELD),
    ],
)
def test_names_and_pools_have_up_to_64_bytes(changes: dict[str, Any], code: Code | None) -> None:
    chain = grown(3)
    assert chain.verdict(chain.register(5, 0, **changes)) is code


def test_a_node_registers_once() -> None:
    chain = grown(3)
    assert chain.verdict(chain.register(1, 0)) is Code.TX_MEMBER
    assert chain.verdict(chain.register(5, 1), chain.register(5, 0)) is Code.TX_MEMBER
    assert chain.verdict(chain.register(1, 1), chain.retire(1, 0)) is None


def test_only_a_member_retires_and_only_once() -> None:
    chain = grown(3)
    assert chain.verdict(chain.retire(5, 0)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.retire(1, 1), chain.retire(1, 0)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.retire(5, 1), chain.register(5, 0)) is None


def test_who_leads_may_come_to_another_pool_by_its_own_block() -> None:
    """Its entity is that of the parent, else all others would refuse a block that it built in good faith."""
    chain = grown(1)
    number = chain.turn.leader(chain.next_view)
    other = chain.node((number + 1) % 4)
    retired = chain.endorse(chain.retire(number, 0), other)
    block = chain.grow(retired, chain.endorse(chain.register(number, 1, pool="red"), other))
    assert block.header.entity == chain.node(number)
    assert chain.tip.core.roster.members[number].entity == b"pool:red"


def test_the_last_node_can_not_retire() -> None:
    chain = grown(3, nodes=2)
    assert chain.verdict(chain.retire(1, 0)) is None
    endorsed = chain.endorse(chain.retire(1, 1), chain.node(1))
    assert chain.verdict(endorsed, chain.retire(0, 0)) is Code.TX_LAST_MEMBER
    # One that has registered for the next epoch counts.
    endorsed = chain.endorse(chain.retire(1, 2), chain.node(1))
    assert chain.verdict(endorsed, chain.register(5, 0), chain.retire(0, 1)) is None


def test_requests_are_numbered_without_gaps() -> None:
    chain = grown(3)
    for sequence in (1, 2**53):
        assert chain.verdict(chain.register(5, sequence)) is Code.TX_ADMIN_SEQUENCE
        assert chain.verdict(chain.retire(1, sequence)) is Code.TX_ADMIN_SEQUENCE
    assert chain.verdict(chain.retire(1, 1), chain.register(5, 0)) is None
    chain.grow(chain.register(5, 0), chain.retire(1, 1))
    assert chain.tip.core.roster.sequence == 2
    for sequence, code in ((0, Code.TX_ADMIN_SEQUENCE), (1, Code.TX_ADMIN_SEQUENCE), (2, None)):
        assert chain.verdict(chain.register(6, sequence)) is code
    # A heartbeat or an anchor is not a request.
    chain.grow(chain.anchor(1))
    assert chain.tip.core.roster.sequence == 2


@pytest.mark.parametrize(
    ("administrators", "code"),
    [
        ((0, 1), None),
        ((0, 2), None),
        ((1, 2), None),
        ((0, 1, 2), None),
        ((), Code.TX_ADMIN_THRESHOLD),
        ((0,), Code.TX_ADMIN_THRESHOLD),
        ((0, 0), Code.TX_ADMIN_THRESHOLD),
        ((1, 0), Code.TX_ADMIN_THRESHOLD),
        ((0, 1, 1), Code.TX_ADMIN_THRESHOLD),
        ((0, 3), Code.TX_SIGNATURE),
        ((0, 1, 3), Code.TX_SIGNATURE),
    ],
)
def test_two_of_three_administrators_approve(administrators: tuple[int, ...], code: Code | None) -> None:
    chain = grown(3)
    assert chain.verdict(chain.register(5, 0, administrators)) is code
    assert chain.verdict(chain.retire(1, 0, administrators)) is code


def test_every_approval_must_hold_and_be_of_this_request() -> None:
    chain = grown(3)
    good = chain.register(5, 0, (0, 1, 2))
    for place in range(3):
        approvals = list(good.approvals)
        approvals[place] = (place, bytes(64))
        assert chain.verdict(structs.replace(good, approvals=tuple(approvals))) is Code.TX_SIGNATURE
    assert chain.verdict(structs.replace(good, pool="attic")) is Code.TX_SIGNATURE
    assert chain.verdict(structs.replace(chain.retire(1, 0), approvals=good.approvals)) is Code.TX_SIGNATURE
    elsewhere = Chain(make_genesis(5))
    assert chain.verdict(elsewhere.register(5, 0)) is Code.TX_SIGNATURE


def test_a_key_is_registered_by_whoever_holds_it_alone() -> None:
    """Administrators can be made to approve a key that nobody, or somebody else, holds."""
    chain = grown(3)
    good = chain.register(5, 0)
    assert chain.verdict(good) is None
    assert chain.verdict(chain.register(5, 0, signer=secret("node 6"))) is Code.TX_SIGNATURE
    assert chain.verdict(chain.register(5, 0, key=chain.node(6))) is Code.TX_SIGNATURE
    assert chain.verdict(structs.replace(good, signature=bytes(64))) is Code.TX_SIGNATURE
    chain.grow(good)
    chain.grow(chain.retire(5, 1))
    again = chain.approve(structs.replace(good, sequence=2))
    assert chain.verdict(again) is Code.TX_SIGNATURE, "it signed for one number, and once"
    assert chain.verdict(chain.register(5, 2)) is None


def test_without_administrators_nobody_comes_or_goes() -> None:
    chain = grown(3, administrators=0, threshold=0)
    assert chain.verdict(chain.register(5, 0, ())) is Code.TX_ADMIN_THRESHOLD
    assert chain.verdict(chain.retire(1, 0, (0, 1))) is Code.TX_ADMIN_THRESHOLD


def test_what_a_registration_and_a_retirement_leave() -> None:
    chain = grown(3)
    chain.grow(chain.register(5, 0, pool="attic"), chain.retire(1, 1))
    roster = chain.tip.core.roster
    assert roster.members[4] == Member(chain.node(5), "node 5", "attic", 4, False)
    assert roster.members[1] == Member(chain.node(1), "node 1", "", 0, True)
    assert (len(roster.members), roster.sequence, len(roster.validators)) == (5, 2, 4)
    tally = chain.tip.core.tally
    assert {len(column) for column in structs.astuple(tally)} == {5}
    assert tally.penalty_ppm[4] == 1_000_000


# -- evidence ------------------------------------------------------------------------------------------------------

A, B = digest("a"), digest("b")


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ((NOTARIZE, A), (NOTARIZE, B), None),
        ((FINALIZE, A), (FINALIZE, B), None),
        ((PROPOSE, A), (PROPOSE, B), None),
        ((SKIP, b""), (FINALIZE, A), None),
        ((FINALIZE, A), (SKIP, b""), None),
        ((NOTARIZE, A), (NOTARIZE, A), Code.TX_EVIDENCE),
        ((NOTARIZE, A), (SKIP, b""), Code.TX_EVIDENCE),
        ((NOTARIZE, A), (FINALIZE, B), Code.TX_EVIDENCE),
        ((PROPOSE, A), (NOTARIZE, B), Code.TX_EVIDENCE),
        ((SKIP, b""), (SKIP, b""), Code.TX_EVIDENCE),
        ((SKIP, A), (FINALIZE, A), Code.TX_EVIDENCE),
        ((NOTARIZE, A), (NOTARIZE, b""), Code.TX_EVIDENCE),
        ((NOTARIZE, A), (NOTARIZE, A[:31]), Code.TX_EVIDENCE),
    ],
)
def test_two_votes_that_no_honest_node_signs(
    first: tuple[int, bytes], second: tuple[int, bytes], code: Code | None
) -> None:
    chain = grown(3)
    votes = [chain.vote(chain.node(2), kind, block, 5) for kind, block in (first, second)]
    assert chain.verdict(Equivocation(votes[0], votes[1])) is code


def test_the_votes_are_of_one_node_epoch_and_view() -> None:
    chain = grown(3)
    first = chain.vote(chain.node(2), NOTARIZE, A, 5)
    for second in (
        chain.vote(chain.node(1), NOTARIZE, B, 5),
        chain.vote(chain.node(2), NOTARIZE, B, 6),
        chain.vote(chain.node(2), NOTARIZE, B, 5, epoch=1),
    ):
        assert chain.verdict(Equivocation(first, second)) is Code.TX_EVIDENCE


def test_there_is_no_evidence_of_view_0_or_of_an_epoch_to_come() -> None:
    chain = grown(3)
    assert chain.verdict(chain.evidence(2, view=0)) is Code.TX_EVIDENCE
    assert chain.verdict(chain.evidence(2, epoch=1)) is Code.TX_EVIDENCE
    while chain.turn.epoch == 0:
        chain.grow()
    assert chain.verdict(chain.evidence(2, epoch=1)) is None
    assert chain.verdict(chain.evidence(2, epoch=0)) is None


def test_both_signatures_hold() -> None:
    chain = grown(3)
    good = chain.evidence(2)
    for side in ("first", "second"):
        vote = structs.replace(getattr(good, side), signature=bytes(64))
        assert chain.verdict(structs.replace(good, **{side: vote})) is Code.TX_SIGNATURE


def test_evidence_is_against_whoever_was_ever_registered() -> None:
    chain = grown(3)
    assert chain.verdict(chain.evidence(5)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.evidence(5), chain.register(5, 0)) is None
    assert chain.verdict(chain.evidence(1), chain.retire(1, 0)) is None


def test_evidence_of_a_view_is_used_once() -> None:
    chain = grown(3)
    swapped = Equivocation(chain.evidence(2).second, chain.evidence(2).first)
    assert chain.verdict(chain.evidence(2), chain.evidence(2)) is Code.TX_EVIDENCE_TWICE
    assert chain.verdict(swapped, chain.evidence(2)) is Code.TX_EVIDENCE_TWICE
    chain.grow(chain.evidence(2))
    assert chain.verdict(swapped) is Code.TX_EVIDENCE_TWICE
    assert chain.verdict(chain.evidence(2, view=2)) is None
    assert chain.verdict(chain.evidence(3)) is None


def test_what_evidence_leaves() -> None:
    chain = grown(3, evidence_epochs=2)
    chain.grow(chain.evidence(2))
    assert chain.tip.core.tally.evidence_until == (0, 0, 2, 0)
    assert chain.tip.row(evidence_key(2, 0, 1)) == b"\x01"
    while chain.turn.epoch == 0:
        chain.grow()
    chain.grow(chain.evidence(2, view=3), chain.evidence(0))
    assert chain.tip.core.tally.evidence_until == (3, 0, 3, 0)
