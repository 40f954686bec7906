"""Relays: who brought a copy gets a share of its first proof, and whoever lies about it gains nothing (section 5).

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.reference.recount import recount
from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.transactions import Payload
from lucid.chain.versions import PROOF_RULES, RELAY_RULES
from lucid.ledger.relaying import relayed_in
from lucid.ledger.rows import MandateEntry, ReceiptEntry, mandate_key, receipt_key
from tests.builders import Chain, make_genesis, secret
from tests.ledger.test_proofs import ALL, asked, later, proof, recorded

WORTH = 14
"""Of a session of seven small chunks, each epoch; an epoch's bound is three times that with `vote_credits` of 4."""


def related(version: int = RELAY_RULES, sessions: int = 1, **parameters: Any) -> Chain:
    """A chain of epochs of twelve views, where nodes 0 and 1 hold all of some sessions since epoch 0; no mandates."""
    chain = Chain(make_genesis(rules=Activation(version), **{"vote_credits": 4} | parameters))
    chain.grow(*[recorded(chain, number) for number in range(sessions)])
    chain.grow(*[chain.holding(number, node, ranges=ALL) for number in range(sessions) for node in (0, 1)])
    return chain


def earned(chain: Chain, *payloads: Payload) -> list[int]:
    """Credits that these payloads make by node, beyond what the block has without them."""
    without = chain.build().ledger.core.tally.credits
    chain.grow(*payloads)
    return [now - bare for now, bare in zip(chain.tip.core.tally.credits, without, strict=True)]


def receipt_row(chain: Chain, node: int = 1) -> ReceiptEntry | None:
    anchor = chain.anchor()
    row = chain.tip.row(receipt_key(anchor.session, anchor.owner, chain.node(node)))
    return None if row is None else decode(row, ReceiptEntry)


# -- what is paid ---------------------------------------------------------------------------------------------------


def test_the_first_proof_pays_who_brought_the_copy_and_later_ones_its_node() -> None:
    chain = related()
    chain.grow(chain.mandate())
    chain.grow(chain.receipt(chunks=7))
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [WORTH, 0, 0, 0]
    assert receipt_row(chain) == ReceiptEntry(0)
    assert relayed_in(chain.tip.row, chain.node(0), 1) == WORTH
    later(chain)
    assert relayed_in(chain.tip.row, chain.node(0), 2) == 0
    assert earned(chain, proof(chain, node=1)) == [0, WORTH, 0, 0]


def test_a_relay_is_paid_for_what_it_brought_and_the_rest_is_lost() -> None:
    chain = related()
    chain.grow(chain.mandate(), chain.receipt(chunks=3))
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [WORTH * 3 // 7, 0, 0, 0]


def test_without_a_receipt_the_share_is_lost_to_both() -> None:
    """Else who has the copy would earn more by not signing."""
    chain = related()
    chain.grow(chain.mandate())
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [0, 0, 0, 0]
    assert receipt_row(chain) == ReceiptEntry(0)
    assert chain.verdict(chain.receipt()) is Code.TX_RELAY_TWICE
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [0, WORTH, 0, 0]


def test_the_relay_s_own_copy_and_sessions_without_a_mandate_are_as_before() -> None:
    chain = related(sessions=2)
    chain.grow(chain.mandate(0))
    later(chain)
    assert earned(chain, proof(chain, 0, node=0)) == [WORTH, 0, 0, 0]
    assert receipt_row(chain, 0) is None
    assert earned(chain, proof(chain, 1, node=0), proof(chain, 1, node=1)) == [WORTH, WORTH, 0, 0]


def test_who_says_later_that_it_holds_less_pays_for_no_more() -> None:
    chain = related()
    chain.grow(chain.mandate())
    chain.grow(chain.receipt(chunks=7))
    chain.grow(chain.holding(node=1, ranges=((2, 2),)))
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [4, 0, 0, 0]


def test_of_a_proof_that_stands_for_others_one_share_is_the_relay_s() -> None:
    """It stands for sessions that others brought."""
    sessions = 33
    chain = related(sessions=sessions, vote_credits=100, max_block_transactions=1_000)
    numbers = range(sessions)
    chain.grow(*[chain.mandate(number) for number in numbers])
    chain.grow(*[chain.receipt(number, chunks=7) for number in numbers])
    later(chain)
    drawn = next(number for number in numbers if asked(chain, number, 1) is not None)
    assert earned(chain, proof(chain, drawn, node=1)) == [WORTH, WORTH, 0, 0]


def test_a_relay_earns_no_more_in_an_epoch_than_its_storage_could() -> None:
    chain = related(sessions=3, vote_credits=2)
    chain.grow(*[chain.mandate(number) for number in range(3)])
    chain.grow(*[chain.receipt(number, chunks=7) for number in range(3)])
    later(chain)
    most = chain.parameters.most_storage_credits
    assert most == 24
    assert earned(chain, proof(chain, 0, node=0), proof(chain, 0, node=1)) == [most, 0, 0, 0]
    assert earned(chain, proof(chain, 1, node=1)) == [0, 0, 0, 0]
    assert earned(chain, proof(chain, 1, node=0)) == [0, 0, 0, 0]
    assert relayed_in(chain.tip.row, chain.node(0), 1) == most - WORTH


def test_what_was_relayed_leaves_less_room_for_storage() -> None:
    chain = related(sessions=1, vote_credits=2)
    chain.grow(chain.mandate(), chain.receipt(chunks=7))
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [WORTH, 0, 0, 0]
    assert earned(chain, proof(chain, node=0)) == [24 - WORTH, 0, 0, 0]


# -- what is refused ------------------------------------------------------------------------------------------------


def test_an_owner_names_one_relay_and_not_long_after_the_anchor() -> None:
    chain = related(transaction_lifetime_blocks=16)
    assert chain.verdict(chain.mandate(relay=7)) is Code.TX_NOT_MEMBER
    assert chain.verdict(chain.mandate(signer=secret("node 0"))) is Code.TX_SIGNATURE
    assert chain.verdict(chain.mandate(5)) is Code.SESSION_UNKNOWN
    assert chain.verdict(chain.mandate(), chain.mandate(relay=2)) is Code.TX_RELAY_TWICE
    while chain.tip.core.head.height < 16:
        chain.grow()
    assert chain.verdict(chain.mandate()) is None
    chain.grow()
    assert chain.verdict(chain.mandate()) is Code.TX_RELAY_STALE
    anchor = chain.anchor()
    assert chain.tip.row(mandate_key(anchor.session, anchor.owner)) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"node": 7}, Code.TX_NOT_MEMBER),
        ({"node": 0}, Code.TX_FIELD),
        ({"chunks": 0}, Code.TX_FIELD),
        ({"signer": secret("node 0")}, Code.TX_SIGNATURE),
        ({"number": 1}, Code.SESSION_UNKNOWN),
        ({"relay": 2}, Code.TX_RELAY_OTHER),
        ({"node": 2}, Code.TX_RELAY_STALE),
        ({"height": 0}, Code.TX_RELAY_STALE),
        ({"chunks": 8}, Code.TX_RELAY_CLAIM),
        ({"chunks": 7}, None),
    ],
)
def test_a_receipt_that_lies_is_refused_by_its_own_code(changes: dict[str, Any], code: Code | None) -> None:
    chain = related()
    chain.grow(chain.mandate())
    assert chain.verdict(chain.receipt(**changes)) is code


def test_a_receipt_counts_once_and_for_what_was_said_last() -> None:
    chain = related()
    assert chain.verdict(chain.receipt()) is Code.TX_RELAY_OTHER
    chain.grow(chain.mandate())
    said = chain.receipt()
    chain.grow(chain.holding(node=1, ranges=((0, 2),)))
    assert chain.verdict(said) is Code.TX_RELAY_STALE
    chain.grow(chain.receipt(chunks=1))
    assert chain.verdict(chain.receipt(chunks=2)) is Code.TX_RELAY_TWICE
    chain.grow(chain.holding(node=1, ranges=()))
    assert chain.verdict(chain.receipt(chunks=2)) is Code.TX_RELAY_TWICE


def test_a_copy_that_was_paid_for_is_not_paid_for_again() -> None:
    """Neither by another receipt nor where the node lets go of it and takes it again."""
    chain = related()
    chain.grow(chain.mandate(), chain.receipt(chunks=7))
    later(chain)
    chain.grow(proof(chain, node=1))
    chain.grow(chain.holding(node=1, ranges=()))
    chain.grow(chain.holding(node=1, ranges=ALL))
    assert chain.verdict(chain.receipt(chunks=7)) is Code.TX_RELAY_TWICE
    later(chain)
    assert earned(chain, proof(chain, node=1)) == [0, WORTH, 0, 0]


def test_it_needs_rules_6() -> None:
    chain = related(PROOF_RULES)
    assert chain.verdict(chain.mandate()) is Code.TX_RULES
    assert chain.verdict(chain.receipt()) is Code.TX_RULES


# -- what a lie earns -----------------------------------------------------------------------------------------------

NODES = 4
SELF_DEALT: list[tuple[Any, ...]] = [
    *[("mandate", number, 0) for number in range(3)],
    *[("receipt", number, node, 7) for number in range(3) for node in (1, 2, 3)],
    ("epoch",),
    *[("proof", number, node) for number in range(3) for node in range(NODES)],
]
"""One owner names node 0 for all, and all others sign that everything came from there."""
STRATEGY = st.lists(
    st.one_of(
        st.tuples(st.just("mandate"), st.integers(0, 2), st.integers(0, NODES - 1)),
        st.tuples(st.just("receipt"), st.integers(0, 2), st.integers(0, NODES - 1), st.integers(1, 7)),
        st.tuples(st.just("holding"), st.integers(0, 2), st.integers(0, NODES - 1), st.integers(0, 7)),
        st.tuples(st.just("proof"), st.integers(0, 2), st.integers(0, NODES - 1)),
        st.tuples(st.just("epoch")),
    ),
    max_size=30,
)


def played(version: int, strategy: list[tuple[Any, ...]], vote_credits: int, proving: bool = True) -> Chain:
    """A chain on which all nodes, and the one owner of all sessions, do together what a strategy says; what is refused
    leaves an empty block."""
    chain = Chain(make_genesis(NODES, rules=Activation(version), vote_credits=vote_credits, leader_window_days=14))
    chain.grow(*[recorded(chain, number) for number in range(3)])
    chain.grow(*[chain.holding(number, node, ranges=ALL) for number in range(3) for node in range(NODES)])
    for act, *what in strategy:
        if act == "epoch":
            later(chain)
        elif act == "mandate":
            tried(chain, chain.mandate(*what))
        elif act == "receipt":
            tried(chain, chain.receipt(what[0], what[1], relay_of(chain, what[0]), chunks=what[2]))
        elif act == "holding":
            tried(chain, chain.holding(what[0], what[1], ranges=((0, what[2]),) if what[2] else ()))
        elif proving:
            tried(chain, proof(chain, *what))
        else:
            chain.grow()
    return chain


def tried(chain: Chain, payload: Payload) -> None:
    """The next block, with this if it may enter."""
    chain.grow(*([] if chain.build(payload).rejected else [payload]))


def relay_of(chain: Chain, number: int) -> int:
    """The number of the node that was named as a session's relay, or 0."""
    anchor = chain.anchor(number)
    row = chain.tip.row(mandate_key(anchor.session, anchor.owner))
    relay = None if row is None else decode(row, MandateEntry).relay
    return next((node for node in range(NODES) if chain.node(node) == relay), 0)


def epoch_credits(chain: Chain, node: int) -> int:
    """What a node earned in the last epoch."""
    slots = chain.parameters.epoch_slots
    works = [chain.work(chain.tip.core.head.epoch * slots + slot) for slot in range(slots)]
    return sum(work.credits[node] for work in works if work is not None)


@settings(max_examples=60, deadline=None)
@pytest.mark.slow
@given(strategy=STRATEGY, vote_credits=st.sampled_from((1, 4, 20)))
@example(strategy=SELF_DEALT, vote_credits=1)
@example(strategy=SELF_DEALT, vote_credits=4)
@example(strategy=SELF_DEALT, vote_credits=20)
def test_no_receipts_make_credits_and_none_lifts_a_node_above_its_bound(
    strategy: list[tuple[Any, ...]], vote_credits: int
) -> None:
    """Whoever signs what for whom: all nodes together earn what the same proofs earn under rules 4, or less, and each
    no more in an epoch than its storage could."""
    old, new = (played(version, strategy, vote_credits) for version in (PROOF_RULES, RELAY_RULES))
    idle = played(RELAY_RULES, strategy, vote_credits, proving=False)
    assert old.tip.core.head.slot == new.tip.core.head.slot == idle.tip.core.head.slot
    assert sum(idle.tip.core.tally.credits) <= sum(new.tip.core.tally.credits) <= sum(old.tip.core.tally.credits)
    assert recount(new.genesis, new.blocks).credits == new.tip.core.tally.credits
    most = new.parameters.most_storage_credits
    assert all(epoch_credits(new, node) - epoch_credits(idle, node) <= most for node in range(NODES))
