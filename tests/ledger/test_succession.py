"""Administrators who give way to others: bounds, who has to sign, and from when on whose approvals count.

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
An epoch of these chains has 12 views.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from lucid.chain.administrators import MAX_ADMINISTRATORS, Administrators
from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.transactions import SetAdministrators, claim_message
from lucid.chain.versions import ADMINISTRATOR_RULES, PROOF_RULES
from lucid.ledger.rows import ADMINISTRATION_KEY, AdministrationEntry
from lucid.ledger.state import stored_ledger
from tests.builders import CRYPTO, NO_SIGNATURE, Chain, grown, make_genesis, secret

EPOCH_VIEWS = 12


def begun(**genesis: Any) -> Chain:
    """A chain of administrators 0, 1 and 2, of whom two decide, under the rules by which they hand on."""
    return Chain(make_genesis(rules=Activation(ADMINISTRATOR_RULES), **genesis))


def entry(chain: Chain) -> AdministrationEntry | None:
    """The tip's row."""
    data = chain.tip.row(ADMINISTRATION_KEY)
    assert chain.tip.core.administration == (None if data is None else decode(data, AdministrationEntry))
    return chain.tip.core.administration


def names(numbers: tuple[int, ...]) -> tuple[bytes, ...]:
    return tuple(CRYPTO.public_key(secret(f"admin {number}")) for number in numbers)


def to_next_epoch(chain: Chain) -> None:
    """Grow up to the first block of the next epoch."""
    epoch = chain.tip.core.head.epoch
    while chain.tip.core.head.epoch == epoch:
        chain.grow()


@pytest.mark.parametrize(
    ("following", "threshold", "code"),
    [
        ((5,), 1, None),
        ((5, 6), 2, None),
        ((0, 1, 2), 2, None),
        (tuple(range(MAX_ADMINISTRATORS)), 3, None),
        ((), 0, Code.TX_FIELD),
        ((), 1, Code.TX_FIELD),
        ((5, 6), 0, Code.TX_FIELD),
        ((5, 6), 3, Code.TX_FIELD),
        ((5, 5), 1, Code.TX_FIELD),
        ((5, 6, 5), 2, Code.TX_FIELD),
        (tuple(range(MAX_ADMINISTRATORS + 1)), 3, Code.TX_FIELD),
    ],
)
def test_a_set_that_may_follow_can_decide(following: tuple[int, ...], threshold: int, code: Code | None) -> None:
    """One that could never reach its threshold would end all decisions."""
    chain = begun()
    assert chain.verdict(chain.hand_on(following, threshold, 0)) is code


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ((0, 1), None),
        ((1, 2), None),
        ((0, 1, 2), None),
        ((), Code.TX_ADMIN_THRESHOLD),
        ((2,), Code.TX_ADMIN_THRESHOLD),
        ((1, 1), Code.TX_ADMIN_THRESHOLD),
        ((1, 0), Code.TX_ADMIN_THRESHOLD),
    ],
)
def test_as_many_as_will_have_to_approve_accept(accepted: tuple[int, ...], code: Code | None) -> None:
    chain = begun()
    assert chain.verdict(chain.hand_on((4, 5, 6), 2, 0, accepted=accepted)) is code


def test_every_acceptance_is_of_its_key_and_of_this_decision() -> None:
    chain = begun()
    good = chain.hand_on((4, 5, 6), 2, 0)
    assert chain.verdict(good) is None
    (_, first), (_, second) = good.acceptances
    for acceptances in (
        ((0, first), (1, NO_SIGNATURE)),
        ((0, second), (1, first)),
        ((0, first), (3, second)),
        ((0, first), (1, second), (2, NO_SIGNATURE)),
        chain.hand_on((4, 5, 6), 2, 1).acceptances,
        chain.hand_on((4, 5), 2, 0).acceptances,
        chain.hand_on((4, 5, 6), 3, 0).acceptances[:2],
        Chain(make_genesis(5, rules=Activation(ADMINISTRATOR_RULES))).hand_on((4, 5, 6), 2, 0).acceptances,
        good.approvals,
    ):
        assert chain.verdict(structs.replace(good, acceptances=acceptances)) is Code.TX_SIGNATURE


def test_those_before_approve_and_those_who_follow_cannot() -> None:
    chain = begun()
    assert chain.verdict(chain.hand_on((4, 5), 2, 0, administrators=(2,))) is Code.TX_ADMIN_THRESHOLD
    assert chain.verdict(chain.hand_on((4, 5), 2, 0, names=(4, 5))) is Code.TX_SIGNATURE
    good = chain.hand_on((4, 5), 2, 0)
    assert chain.verdict(structs.replace(good, threshold=1)) is Code.TX_SIGNATURE
    assert chain.verdict(structs.replace(good, keys=good.keys[::-1])) is Code.TX_SIGNATURE


def test_a_chain_without_administrators_gets_none() -> None:
    chain = begun(administrators=0, threshold=0)
    assert chain.verdict(chain.hand_on((4, 5), 2, 0)) is Code.TX_ADMIN_THRESHOLD
    assert chain.verdict(chain.hand_on((4, 5), 2, 0, administrators=())) is Code.TX_ADMIN_THRESHOLD


def test_those_before_decide_until_the_epoch_ends_and_never_again() -> None:
    chain = begun()
    assert entry(chain) is None
    chain.grow(chain.hand_on((4, 5, 6), 2, 0))
    row = entry(chain)
    assert row is not None and row.following is not None
    assert (row.current.keys, row.current.threshold) == (chain.genesis.administrators, 2)
    assert (row.following.keys, row.following.threshold) == (names((4, 5, 6)), 2)
    while chain.tip.core.head.view < EPOCH_VIEWS - 1:
        assert chain.verdict(chain.retire(1, 1)) is None
        assert chain.verdict(chain.approve(chain.retire(1, 1), (0, 1), (4, 5, 6))) is Code.TX_SIGNATURE
        chain.grow()
    old = chain.retire(1, 1)
    to_next_epoch(chain)
    assert entry(chain) == AdministrationEntry(row.following, None)
    assert chain.verdict(old) is Code.TX_SIGNATURE, "approved in time, and too late on the chain"
    assert chain.verdict(chain.hand_on((0, 1, 2), 2, 1)) is Code.TX_SIGNATURE
    assert chain.verdict(chain.approve(old, (0, 1), (4, 5, 6))) is None
    to_next_epoch(chain)
    assert entry(chain) == AdministrationEntry(row.following, None), "nothing comes back"


def test_the_block_that_opens_the_epoch_is_decided_on_by_those_who_follow() -> None:
    chain = begun()
    chain.grow(chain.hand_on((4, 5), 1, 0))
    while chain.turn.epoch == 0:
        chain.grow()
    assert chain.tip.core.head.epoch == 0, "the tip closes it"
    assert chain.verdict(chain.retire(1, 1)) is Code.TX_SIGNATURE
    assert chain.verdict(chain.approve(chain.retire(1, 1), (1,), (4, 5))) is None


def test_a_decision_counts_once() -> None:
    chain = begun()
    good = chain.hand_on((4, 5), 2, 0)
    chain.grow(good)
    assert chain.verdict(good) is Code.TX_ADMIN_SEQUENCE
    to_next_epoch(chain)
    assert chain.verdict(good) is Code.TX_ADMIN_SEQUENCE
    # The same people, back in office: what they signed before stays used.
    chain.grow(chain.hand_on((0, 1, 2), 2, 1, names=(4, 5)))
    to_next_epoch(chain)
    assert chain.verdict(good) is Code.TX_ADMIN_SEQUENCE
    assert chain.verdict(chain.hand_on((4, 5), 2, 2)) is None


def test_another_set_takes_the_place_of_the_one_decided_before() -> None:
    chain = begun()
    chain.grow(chain.hand_on((4, 5), 2, 0), chain.hand_on((6,), 1, 1))
    to_next_epoch(chain)
    row = entry(chain)
    assert row is not None and (row.current.keys, row.following) == (names((6,)), None)


def test_naming_those_in_force_calls_it_off() -> None:
    chain = begun()
    chain.grow(chain.hand_on((4, 5), 2, 0), chain.hand_on((0, 1, 2), 2, 1))
    to_next_epoch(chain)
    assert chain.verdict(chain.retire(1, 2)) is None


def test_before_these_rules_nobody_hands_on_and_afterwards_somebody_can() -> None:
    chain = grown(rules=Activation(PROOF_RULES))
    assert chain.verdict(chain.hand_on((4, 5), 2, 0)) is Code.TX_RULES
    chain.grow(chain.schedule(ADMINISTRATOR_RULES, 1 + EPOCH_VIEWS, 0))
    to_next_epoch(chain)
    assert chain.verdict(chain.hand_on((4, 5), 2, 1)) is None


def test_a_stored_ledger_knows_who_decides() -> None:
    chain = begun()
    chain.grow(chain.hand_on((4, 5), 2, 0))
    to_next_epoch(chain)
    chain.settle()
    stored = stored_ledger(chain.store)
    assert stored is not None and stored.root == chain.tip.root
    assert stored.core.administration == chain.tip.core.administration is not None


# Written out by hand from sections 2 and 6; what encodes or hashes otherwise is another chain.
KEYS = bytes(range(32)), bytes(range(1, 33))
HEX = "".join(f"c420{key.hex()}" for key in KEYS)


def test_golden_bytes_of_the_decision_and_of_the_row() -> None:
    decision = SetAdministrators(KEYS, 2, 300, ((1, NO_SIGNATURE),), ())
    assert encode(decision).hex() == f"960c92{HEX}02cd012c919201c440{NO_SIGNATURE.hex()}90"
    claimed = "56fef539ddc6a1d8a6810cbf9ba22a2a125516e5c9f2a616f2041da75fc4b43c"
    assert claim_message(bytes(32), decision).hex() == claimed
    assert claim_message(bytes(32), structs.replace(decision, acceptances=decision.approvals)).hex() == claimed
    alone = Administrators(KEYS[:1], 1)
    assert encode(AdministrationEntry(alone, decision.administrators)).hex() == f"929291{HEX[:68]}019292{HEX}02"
    assert encode(AdministrationEntry(alone, None)).hex() == f"929291{HEX[:68]}01c0"
