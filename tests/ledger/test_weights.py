"""Weights: what nodes declare counts as far as they prove their share, whatever a minority does (section 8, rules 7).

`Chain.verdict` asks a leader and a judge and checks that they agree and that a refused transaction changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.codec import decode, encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Activation
from lucid.chain.placement import MAX_WEIGHT
from lucid.chain.versions import CAPACITY_RULES, RELAY_RULES
from lucid.ledger.rows import WEIGHTS_KEY, CapacityEntry, KeeperEntry, Weights, keeper_key
from lucid.ledger.weights import JUDGED_AFTER, entry_of, opened_weights
from lucid.poot.members import Member
from tests.builders import Chain, make_genesis
from tests.ledger.test_proofs import ALL, later, proof, recorded

KEYS = [bytes([number]) * 32 for number in range(12)]
GIB = 1 << 30


class Fleet:
    """Nodes that declare and prove, epoch after epoch, as the ledger's rows have it."""

    def __init__(self, declared: Sequence[int]) -> None:
        self.members = [Member(key, "", "", 0, False) for key in KEYS[: len(declared)]]
        self.rows = {WEIGHTS_KEY: encode(Weights(tuple([CapacityEntry(declared=each) for each in declared])))}
        self.epoch = 0

    @property
    def weights(self) -> list[int]:
        return [each.weight for each in decode(self.rows[WEIGHTS_KEY], Weights).members]

    def open(self, proven: Sequence[int]) -> list[int]:
        """The next epoch opens, after one in which so many bytes were proven."""
        for member, size in zip(self.members, proven, strict=True):
            self.rows[keeper_key(member.key)] = encode(KeeperEntry(self.epoch, 1, 1, 1, size))
        self.epoch += 1
        weights = opened_weights(self.rows.get, self.members, self.epoch)
        assert weights is not None
        self.rows[WEIGHTS_KEY] = weights
        return self.weights

    def live(self, epochs: int, honest: Sequence[bool], data: int = 1_000 * GIB) -> list[int]:
        """So many epochs in which who is honest proves its share of the data, and others nothing."""
        for _ in range(epochs):
            total = sum(self.weights)
            self.open([data * weight // total * true for weight, true in zip(self.weights, honest, strict=True)])
        return self.weights


# -- what is declared ----------------------------------------------------------------------------------------------


def weighed(chain: Chain) -> list[CapacityEntry]:
    return [entry_of(chain.tip.row(WEIGHTS_KEY), number) for number in range(len(chain.tip.core.roster.members))]


def test_the_last_word_of_a_node_stands_and_weighs_nothing_yet() -> None:
    chain = Chain(make_genesis(rules=Activation(CAPACITY_RULES)))
    chain.grow()
    assert chain.tip.row(WEIGHTS_KEY) is None
    chain.grow(chain.capacity(2, 4))
    assert decode(chain.tip.row(WEIGHTS_KEY) or b"", Weights).members == (
        CapacityEntry(), CapacityEntry(), CapacityEntry(declared=4, height=1),
    )  # fmt: skip
    assert chain.verdict(chain.endorse(chain.capacity(2, 5, height=1))) is Code.TX_HOLDING_HEIGHT
    chain.grow(chain.capacity(0, 16))
    chain.grow(chain.capacity(2, 1))
    assert [(each.declared, each.weight) for each in weighed(chain)] == [(16, 1), (1, 1), (1, 1), (1, 1)]


@pytest.mark.parametrize("tickets", [0, MAX_WEIGHT + 1])
def test_tickets_have_bounds(tickets: int) -> None:
    chain = Chain(make_genesis(rules=Activation(CAPACITY_RULES)))
    chain.grow()
    assert chain.verdict(chain.endorse(chain.capacity(0, tickets))) is Code.TX_FIELD


def test_rules_before_know_of_no_capacity() -> None:
    chain = Chain(make_genesis(rules=Activation(RELAY_RULES)))
    chain.grow()
    assert chain.verdict(chain.endorse(chain.capacity())) is Code.TX_RULES


def test_a_chain_that_only_takes_the_rules_over_has_the_rows_that_it_had() -> None:
    old, new = (Chain(make_genesis(rules=Activation(version))) for version in (RELAY_RULES, CAPACITY_RULES))
    for chain in (old, new):
        later(chain, 3)
    assert set(dict(new.store.scan("row"))) == set(dict(old.store.scan("row")))


# -- what is proven ------------------------------------------------------------------------------------------------


def test_a_node_that_proves_its_share_grows_to_what_it_declared() -> None:
    """Nodes 0 to 2 hold the same, and what they declare counts by and by; node 3 holds nothing and never grows."""
    chain = Chain(make_genesis(rules=Activation(CAPACITY_RULES), vote_credits=4))
    chain.grow(recorded(chain))
    chain.grow(*[chain.holding(0, node, ranges=ALL) for node in range(3)])
    chain.grow(*[chain.capacity(node, 4) for node in range(4)])
    seen = []
    for _ in range(5):
        later(chain)
        seen.append([each.weight for each in weighed(chain)])
        chain.grow(*[proof(chain, node=node) for node in range(3)])
    assert seen == [[1, 1, 1, 1], [2, 2, 2, 1], [2, 2, 2, 1], [4, 4, 4, 1], [4, 4, 4, 1]]
    assert [each.since for each in weighed(chain)] == [4, 4, 4, 0]


def test_nothing_grows_where_nothing_is_proven() -> None:
    fleet = Fleet([4, 4, 4, 4])
    assert fleet.live(8, [True] * 4, data=0) == [1, 1, 1, 1]


def test_nobody_grows_by_sessions_of_its_own_where_the_others_have_nothing_to_prove() -> None:
    """Three liars of ten would have four copies of five of a new chain's data, before all others weigh anything."""
    fleet = Fleet([16] * 10)
    for _ in range(12):
        fleet.open([2**53] * 3 + [0] * 7)
    assert fleet.weights == [1] * 10


def test_whoever_says_more_than_it_holds_is_brought_down_again_and_stays_there() -> None:
    fleet = Fleet([8, 8, 8, 8, 8])
    assert fleet.live(12, [True] * 5) == [8] * 5
    seen = [fleet.live(1, [False, True, True, True, True]) for _ in range(9)]
    assert [each[0] for each in seen] == [4, 4, 2, 2, 1, 1, 1, 1, 1], "a half every second epoch"
    assert all(each[1:] == [8] * 4 for each in seen), "nobody else pays for it"
    assert fleet.live(6, [True] * 5)[0] == 8, "what it proves again counts again"


def test_a_weight_that_changed_is_not_judged_in_the_next_epoch() -> None:
    fleet = Fleet([16, 16, 16])
    changes = [0, *(epoch for epoch in range(1, 12) if fleet.live(1, [True] * 3) != [0] and _changed(fleet, epoch))]
    assert changes == [0, 2, 4, 6, 8]
    assert JUDGED_AFTER == 2


def _changed(fleet: Fleet, epoch: int) -> bool:
    return entry_of(fleet.rows[WEIGHTS_KEY], 0).since == epoch


def test_less_is_taken_at_its_word_and_never_below_one() -> None:
    fleet = Fleet([8, 8, 8])
    fleet.live(12, [True] * 3)
    entries = list(decode(fleet.rows[WEIGHTS_KEY], Weights).members)
    entries[0] = CapacityEntry(declared=1, height=9, weight=8, since=entries[0].since)
    fleet.rows[WEIGHTS_KEY] = encode(Weights(tuple(entries)))
    assert fleet.live(1, [True] * 3) == [1, 8, 8]


def test_no_node_weighs_more_than_four_times_what_one_in_the_middle_declared() -> None:
    assert Fleet([16, 1, 1, 1, 2]).live(20, [True] * 5) == [4, 1, 1, 1, 2]
    assert Fleet([16, 16, 3, 3, 2]).live(20, [True] * 5) == [12, 12, 3, 3, 2]


def test_who_is_retired_begins_anew() -> None:
    fleet = Fleet([8, 8, 8, 8])
    fleet.live(12, [True] * 4)
    member = fleet.members[1]
    fleet.members[1] = Member(member.key, "", "", 0, True)
    assert fleet.live(1, [True] * 4) == [8, 1, 8, 8]
    fleet.members[1] = member
    assert [fleet.live(1, [True] * 4)[1] for _ in range(6)] == [1, 2, 2, 4, 4, 8]


def test_one_who_proves_huge_sessions_of_its_own_makes_nobody_else_fall_short() -> None:
    fleet = Fleet([4] * 7)
    fleet.live(10, [True] * 7)
    for _ in range(6):
        total = sum(fleet.weights)
        fleet.open([2**53, 2**53] + [1_000 * GIB * weight // total for weight in fleet.weights[2:]])
    assert fleet.weights == [4] * 7


@given(
    st.lists(st.integers(1, MAX_WEIGHT), min_size=4, max_size=12),
    st.lists(st.sampled_from((0, 2**53)), min_size=4, max_size=4),
    st.integers(0, 2**32),
)
def test_fewer_than_a_third_move_no_honest_weight(declared: list[int], lies: list[int], seed: int) -> None:
    """Whatever a minority proves, an honest node that proves its share within a factor of two comes to what it
    declared, or four times what a node in the middle did."""
    fleet, random = Fleet(declared), Random(seed)
    liars = range((len(declared) - 1) // 3)
    for _ in range(12):
        total = sum(fleet.weights)
        proven = [1_000 * GIB * weight // total * random.randrange(10, 20) // 14 for weight in fleet.weights]
        for liar in liars:
            proven[liar] = lies[liar]
        fleet.open(proven)
    most = 4 * sorted(declared)[(len(declared) - 1) // 2]
    for number in range(len(liars), len(declared)):
        assert fleet.weights[number] == min(declared[number], most)
    assert all(1 <= weight <= MAX_WEIGHT for weight in fleet.weights)


@given(st.lists(st.tuples(st.integers(1, MAX_WEIGHT), st.integers(0, 2**53)), min_size=1, max_size=12))
def test_weights_stay_within_their_bounds_whatever_is_proven(said: list[tuple[int, int]]) -> None:
    fleet = Fleet([declared for declared, _ in said])
    for epoch in range(1, 7):
        before = fleet.weights
        weights = fleet.open([size for _, size in said])
        assert all(1 <= new <= declared for new, (declared, _) in zip(weights, said, strict=True))
        assert all(new <= 2 * old for new, old in zip(weights, before, strict=True)), epoch
