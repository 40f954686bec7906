"""The leader schedule: how entities are ranked, and whose turn a view is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.poot.credits import PPM, Tally
from lucid.poot.members import Member
from lucid.poot.schedule import Schedule, entity_members, rank_entities
from tests.builders import digest

BEACON = digest("beacon")


class Pi(NamedTuple):
    """A node as the ranking sees it."""

    credits: int = 0
    beacons: int = 1
    held: int = 1
    penalty: int = PPM
    evidence_until: int = 0
    pool: str = ""
    validator: bool = True


def key(number: int) -> bytes:
    return digest("key", number)


def rank(
    nodes: Sequence[Pi],
    leaders: Sequence[Sequence[int]] = (),
    cooldown: int = 0,
    epoch: int = 0,
    min_uptime: int = 200_000,
    beacon: bytes = BEACON,
) -> list[int]:
    """The order of the numbered nodes."""
    members = [Member(key(number), "", node.pool, 0, not node.validator) for number, node in enumerate(nodes)]
    validators = [number for number, node in enumerate(nodes) if node.validator]
    tally = Tally(
        tuple(node.credits for node in nodes),
        tuple(node.beacons for node in nodes),
        tuple(node.held for node in nodes),
        tuple(node.penalty for node in nodes),
        tuple(node.evidence_until for node in nodes),
    )
    order = rank_entities(
        members, validators, tally, epoch, beacon, leaders, cooldown_slots=cooldown, min_uptime_ppm=min_uptime
    )
    return list(order)


def luck(entity: bytes, beacon: bytes = BEACON) -> bytes:
    """What decides between equal scores."""
    hasher = blake3(derive_key_context="lucid rank v1")
    hasher.update(beacon + entity)
    return hasher.digest()


# -- order by score ------------------------------------------------------------------------------------------------


def test_the_best_live_score_leads() -> None:
    assert rank([Pi(10), Pi(30), Pi(20)]) == [1, 2, 0]


def test_uptime_and_penalties_weigh_on_credits() -> None:
    assert rank([Pi(100, beacons=1, held=2), Pi(60), Pi(120, penalty=490_000), Pi(51)]) == [1, 2, 3, 0]


def test_equal_scores_are_ordered_by_the_beacon() -> None:
    for beacon in (BEACON, digest("another beacon")):
        expected = sorted(range(6), key=lambda number: luck(key(number), beacon))
        assert rank([Pi(5)] * 6, beacon=beacon) == expected
    assert rank([Pi(5)] * 6) != rank([Pi(5)] * 6, beacon=digest("another beacon"))


def test_scores_that_floor_to_the_same_are_equal() -> None:
    by_luck = sorted(range(2), key=lambda number: luck(key(number)))
    for nodes in ([Pi(3, 1, 2), Pi(2, 1, 2)], [Pi(2, 1, 2), Pi(3, 1, 2)]):
        assert rank(nodes) == by_luck


def test_only_validators_are_ranked() -> None:
    assert rank([Pi(1), Pi(9, validator=False), Pi(2)]) == [2, 0]


# -- groups --------------------------------------------------------------------------------------------------------


def test_eligible_cooling_ineligible_and_under_evidence_follow_in_this_order() -> None:
    nodes = [Pi(90, evidence_until=1), Pi(80, beacons=0), Pi(70), *[Pi(score) for score in range(6)]]
    assert rank(nodes, [[2]], cooldown=1) == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_the_floor_of_uptime_is_inclusive() -> None:
    steady = [Pi(1, 5, 5)] * 5
    assert rank([*steady, Pi(9, 1, 5)])[0] == 5
    assert rank([*steady, Pi(9, 1, 6)])[-1] == 5


def test_nobody_who_has_not_held_a_slot_is_eligible() -> None:
    assert rank([*[Pi(1)] * 5, Pi(9, 0, 0)])[-1] == 5


def test_without_a_floor_everyone_is_eligible() -> None:
    assert rank([*[Pi(1)] * 5, Pi(9, 0, 5), Pi(8, 0, 0)], [[0]], 1, min_uptime=0)[-1] == 0


def test_evidence_holds_until_its_epoch_and_zeroes_the_score() -> None:
    nodes = [Pi(1), Pi(2), Pi(3), Pi(9, evidence_until=7), Pi(0, evidence_until=7)]
    last = sorted([3, 4], key=lambda number: luck(key(number)))
    assert rank(nodes, epoch=6) == [2, 1, 0, *last]
    assert rank(nodes, epoch=7) == [3, 2, 1, 0, 4]


def test_when_the_eligible_are_fewer_than_a_quorum_all_without_evidence_are() -> None:
    """Of six validators q is five. An ineligible one comes last; once it counts as eligible, a cooling one does."""
    lazy = Pi(9, 0, 5)
    assert rank([*[Pi(1)] * 5, lazy], [[0]], cooldown=1)[-2:] == [0, 5]
    assert rank([*[Pi(1)] * 4, lazy, lazy], [[0]], cooldown=1)[-1] == 0
    assert rank([*[Pi(1)] * 4, lazy, Pi(1, evidence_until=1)], [[0]], cooldown=1)[-2:] == [0, 5]


def test_the_relaxed_rule_still_puts_evidence_last() -> None:
    order = rank([Pi(0, 0, 5, evidence_until=3), Pi(0, 0, 5), Pi(0, 0, 5), Pi(0, 0, 5)], [[1], [2]], cooldown=16)
    assert order == [3, *sorted([1, 2], key=lambda number: luck(key(number))), 0]


def test_a_quorum_is_counted_in_validators_not_in_entities() -> None:
    """A pool of three steady nodes and a lazy one: q of four is three. With two more lazy ones q of six is five."""
    lazy, pool = Pi(9, 0, 5), [Pi(1, pool="attic")] * 3
    assert entities_of(rank([lazy, *pool], [[1]], cooldown=16), pool_from=1) == ["attic", 0]
    assert entities_of(rank([lazy, *pool, lazy, lazy], [[1]], cooldown=1), pool_from=1)[-1] == "attic"


def entities_of(order: list[int], pool_from: int) -> list[int | str]:
    """An order with the three members of a pool as the pool."""
    return ["attic" if pool_from <= number < pool_from + 3 else number for number in order]


def test_all_under_evidence_still_lead() -> None:
    assert sorted(rank([Pi(5, evidence_until=9)] * 3, [[0]], cooldown=16)) == [0, 1, 2]


# -- cooldown ------------------------------------------------------------------------------------------------------


def test_who_led_lately_comes_after_the_others() -> None:
    nodes = [Pi(50), Pi(40), Pi(30), Pi(20), Pi(10)]
    assert rank(nodes, [[0]], cooldown=2) == [1, 2, 3, 4, 0]
    assert rank(nodes, [[0], [1]], cooldown=2) == [2, 3, 4, 0, 1]
    assert rank(nodes, [[0], [1], [2]], cooldown=2) == [0, 3, 4, 1, 2]


def test_everyone_who_made_a_block_in_the_slot_cools() -> None:
    nodes = [Pi(50), Pi(40), Pi(30), Pi(20), Pi(10)]
    assert rank(nodes, [[0, 1, 2]], cooldown=1) == [3, 4, 0, 1, 2]


def test_cooldown_is_at_most_one_less_than_the_eligible() -> None:
    """Five nodes with a cooldown of 16 never run out of leaders: whoever led longest ago is always free."""
    nodes = [Pi(50), Pi(40), Pi(30), Pi(20), Pi(10)]
    history: list[list[int]] = []
    for slot in range(40):
        order = rank(nodes, history[-16:], cooldown=16)
        assert order[0] == slot % 5
        assert sorted(order) == [0, 1, 2, 3, 4]
        history.append([order[0]])


@pytest.mark.parametrize("length", range(1, 9))
@pytest.mark.parametrize("cooldown", range(1, 9))
def test_cooldown_counts_from_the_last_slot_back(length: int, cooldown: int) -> None:
    """However short the history still is."""
    nodes = [Pi(100 - number) for number in range(10)]
    cooling = list(range(length))[-cooldown:]
    order = rank(nodes, [[number] for number in range(length)], cooldown=cooldown)
    assert order == [number for number in range(10) if number not in cooling] + cooling


def test_only_the_eligible_count_for_the_length_of_the_cooldown() -> None:
    nodes = [Pi(50), Pi(40), Pi(30), Pi(20, evidence_until=1), Pi(10, 0, 5)]
    # Three are eligible, less than the quorum of four, so all but the one with evidence are: c = 3.
    history = [[0], [1], [2], [4]]
    assert rank(nodes, history, cooldown=16) == [0, 1, 2, 4, 3]


def test_a_lone_node_never_cools() -> None:
    assert rank([Pi(1)], [[0], [0]], cooldown=16) == [0]


def test_no_cooldown_among_none_eligible() -> None:
    nodes = [Pi(5, evidence_until=9), Pi(6, evidence_until=9)]
    assert rank(nodes, [[0]], cooldown=16) == sorted([0, 1], key=lambda number: luck(key(number)))


def test_a_pool_cools_as_one() -> None:
    nodes = [Pi(50, pool="attic"), Pi(40, pool="attic"), Pi(30), Pi(20)]
    assert rank(nodes, [[1]], cooldown=1) == [2, 3, 0]


def test_a_leader_that_is_no_validator_any_more_cools_nobody() -> None:
    assert rank([Pi(9), Pi(8), Pi(7, validator=False)], [[2]], cooldown=1) == [0, 1]


# -- pools ---------------------------------------------------------------------------------------------------------


def test_the_proofs_of_a_pool_add_up() -> None:
    assert rank([Pi(30), Pi(20, pool="attic"), Pi(11, pool="attic")]) == [1, 0]
    assert rank([Pi(32), Pi(20, pool="attic"), Pi(11, pool="attic")]) == [0, 1]


def test_uptime_of_a_pool_is_over_all_its_members() -> None:
    # 40 credits at (1 + 0) / (1 + 1) = half are 20.
    assert rank([Pi(21), Pi(20, 1, 1, pool="attic"), Pi(20, 0, 1, pool="attic")]) == [0, 1]
    assert rank([Pi(19), Pi(20, 1, 1, pool="attic"), Pi(20, 0, 1, pool="attic")]) == [1, 0]


def test_a_pool_bears_its_worst_penalty() -> None:
    nodes = [Pi(19), Pi(20, pool="attic"), Pi(20, pool="attic", penalty=500_000)]
    assert rank(nodes) == [1, 0]
    assert rank([Pi(21), *nodes[1:]]) == [0, 1]


def test_evidence_against_one_member_is_against_the_pool() -> None:
    nodes = [Pi(1), Pi(1), Pi(20, pool="attic"), Pi(20, pool="attic", evidence_until=1)]
    assert rank(nodes)[:2] == rank(nodes[:2])
    assert rank(nodes)[2] in (2, 3)


def test_the_member_with_the_best_score_of_its_own_proposes() -> None:
    assert rank([Pi(30, pool="attic"), Pi(40, 1, 2, pool="attic"), Pi(50, penalty=500_000, pool="attic")]) == [0]
    assert rank([Pi(30, penalty=0, pool="attic"), Pi(40, 1, 2, pool="attic"), Pi(9, pool="attic")]) == [1]


def test_equal_members_of_a_pool_are_ordered_by_their_keys_luck() -> None:
    for beacon in (digest("a"), digest("b"), digest("c")):
        best = min(range(4), key=lambda number: luck(key(number), beacon))
        assert rank([Pi(5, pool="attic")] * 4, beacon=beacon) == [best]


def test_a_pool_has_the_luck_of_its_name() -> None:
    for beacon in (digest("a"), digest("b"), digest("c"), digest("d")):
        pool_first = luck(b"pool:attic", beacon) < luck(key(1), beacon)
        assert rank([Pi(5, pool="attic"), Pi(5)], beacon=beacon) == ([0, 1] if pool_first else [1, 0])


def test_entity_members_keeps_the_order_of_the_validators() -> None:
    members = [Member(key(number), "", pool, 0, False) for number, pool in enumerate(["", "x", "", "x", "x"])]
    groups = entity_members(members, (4, 2, 1, 0))
    assert groups == {b"pool:x": [4, 1], key(2): [2], key(0): [0]}
    assert list(groups) == [b"pool:x", key(2), key(0)]


# -- properties ----------------------------------------------------------------------------------------------------

pis = st.builds(
    Pi,
    credits=st.integers(0, 5),
    beacons=st.integers(0, 3),
    held=st.integers(0, 3),
    penalty=st.sampled_from([0, 500_000, PPM]),
    evidence_until=st.sampled_from([0, 0, 0, 1, 2]),
    pool=st.sampled_from(["", "", "x", "y"]),
    validator=st.just(True),
)
networks = st.lists(pis, min_size=1, max_size=9)


def naive_order(nodes: list[Pi], leaders: list[list[int]], cooldown: int, epoch: int, floor: int) -> list[int]:
    """Section 4, "Who leads", rule by rule."""
    entities: dict[bytes, list[int]] = {}
    for number, node in enumerate(nodes):
        entities.setdefault(b"pool:" + node.pool.encode() if node.pool else key(number), []).append(number)
    places = {number: entity for entity, numbers in entities.items() for number in numbers}

    def uptime(numbers: list[int]) -> int:
        held = sum(nodes[number].held for number in numbers)
        return min(PPM, PPM * sum(nodes[number].beacons for number in numbers) // held) if held else 0

    def score(numbers: list[int]) -> int:
        credits = sum(nodes[number].credits for number in numbers)
        return credits * uptime(numbers) // PPM * min(nodes[number].penalty for number in numbers) // PPM

    accused = {entity for entity in entities if any(nodes[each].evidence_until > epoch for each in entities[entity])}
    eligible = {entity for entity in entities if entity not in accused and uptime(entities[entity]) >= floor}
    if sum(len(entities[entity]) for entity in eligible) < len(nodes) * 2 // 3 + 1:
        eligible = set(entities) - accused
    count = max(0, min(cooldown, len(eligible) - 1))
    cooling = {places[number] for makers in leaders[max(0, len(leaders) - count) :] for number in makers}
    groups = [
        [(-score(entities[entity]), luck(entity), entity) for entity in eligible - cooling],
        [(-score(entities[entity]), luck(entity), entity) for entity in eligible & cooling],
        [(-score(entities[entity]), luck(entity), entity) for entity in set(entities) - eligible - accused],
        [(0, luck(entity), entity) for entity in accused],
    ]
    ranked = [entity for group in groups for *_, entity in sorted(group)]
    return [min(entities[each], key=lambda number: (-score([number]), luck(key(number)))) for each in ranked]


@pytest.mark.slow
@settings(max_examples=300)
@given(nodes=networks, cooldown=st.integers(0, 16), floor=st.sampled_from([0, 200_000, PPM]), data=st.data())
def test_the_ranking_is_what_the_protocol_says(nodes: list[Pi], cooldown: int, floor: int, data: st.DataObject) -> None:
    numbers = st.integers(0, len(nodes) - 1)
    leaders = data.draw(st.lists(st.lists(numbers, min_size=1, max_size=2), max_size=16))
    order = rank(nodes, leaders, cooldown, epoch=1, min_uptime=floor)
    assert order == naive_order(nodes, leaders, cooldown, 1, floor)
    assert {nodes[number].pool or str(number) for number in order} == {
        node.pool or str(number) for number, node in enumerate(nodes)
    }


@given(nodes=networks, data=st.data())
def test_the_order_does_not_depend_on_who_registered_first(nodes: list[Pi], data: st.DataObject) -> None:
    """Numbers and the order of validators are not part of the ranking: the same nodes give the same keys."""
    shuffled = data.draw(st.permutations(range(len(nodes))))
    tally = Tally(*(tuple(column) for column in zip(*(node[:5] for node in nodes), strict=True)))
    moved = Tally(*(tuple(column) for column in zip(*(nodes[number][:5] for number in shuffled), strict=True)))
    members = [Member(key(number), "", node.pool, 0, False) for number, node in enumerate(nodes)]
    leaders = data.draw(st.lists(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=2), max_size=4))
    place = {number: there for there, number in enumerate(shuffled)}
    bounds = {"cooldown_slots": 3, "min_uptime_ppm": 200_000}
    one = rank_entities(members, range(len(nodes)), tally, 1, BEACON, leaders, **bounds)
    other = rank_entities(
        [members[number] for number in shuffled],
        data.draw(st.permutations(range(len(nodes)))),
        moved,
        1,
        BEACON,
        [[place[number] for number in makers] for makers in leaders],
        **bounds,
    )
    assert [shuffled[number] for number in other] == list(one)


# -- whose turn ----------------------------------------------------------------------------------------------------


def test_the_best_leads_the_whole_slot_while_it_makes_blocks() -> None:
    for offset in range(12):
        assert Schedule(0, (7, 5, 3), 0, offset).leader(offset, 12) == 7


def test_one_miss_moves_the_rest_of_the_slot_to_the_next_in_rank() -> None:
    order = (7, 5, 3)
    assert Schedule(0, order, 0, 4).leader(4, 12) == 7
    assert [Schedule(0, order, 0, 4).leader(offset, 12) for offset in (5, 6, 7, 8)] == [5, 3, 7, 5]
    # It stays with the next: a block in view 5 counts as held.
    assert Schedule(0, order, 0, 5).leader(6, 12) == 5
    assert Schedule(0, order, 0, 11).leader(12, 12) == 5


def test_a_wholly_skipped_slot_counts_each_of_its_views() -> None:
    order = (0, 1, 2, 3, 4)
    assert Schedule(1, order, 1, 0).leader(0, 12) == 12 % 5
    assert Schedule(2, order, 2, 0).leader(0, 12) == 24 % 5
    assert Schedule(2, order, 2, 3).leader(5, 12) == (24 + 5 - 3) % 5


@given(size=st.integers(1, 30), held=st.integers(0, 12), skipped=st.integers(0, 50), slot_views=st.integers(1, 20))
def test_no_set_of_dead_nodes_stalls_the_chain(size: int, held: int, skipped: int, slot_views: int) -> None:
    """In as many views in a row as there are entities, each has one turn."""
    schedule = Schedule(0, tuple(range(size)), skipped, held)
    turns = [schedule.leader(offset, slot_views) for offset in range(held, held + size)]
    assert sorted(turns) == list(range(size))
