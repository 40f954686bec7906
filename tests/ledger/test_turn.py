"""Where a chain stands and who leads its next views: positions, turns and cooldown, on chains worked by hand.

Slots have three views, epochs four slots and the window three slots unless a test says otherwise.
"""

from __future__ import annotations

import pytest

from lucid.chain.parameters import Parameters
from lucid.ledger.rows import SlotLeaders
from lucid.ledger.turn import Turn, closes_epoch, slot_in_epoch
from lucid.poot.schedule import Schedule
from tests.builders import Chain, grown, make_genesis, small_parameters
from tests.naive_tree import derived


def luck(chain: Chain, beacon: bytes | None = None) -> list[int]:
    """Members by what decides between equal scores, on the tip."""
    beacon = chain.tip.core.head.beacon if beacon is None else beacon
    members = chain.tip.core.roster.members
    return sorted(range(len(members)), key=lambda number: derived("lucid rank v1", beacon + members[number].entity))


# -- positions -----------------------------------------------------------------------------------------------------


def test_the_slot_of_a_view() -> None:
    parameters = small_parameters()
    slots = [slot_in_epoch(view, parameters) for view in range(16)]
    assert slots == [-1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert slot_in_epoch(10**9, parameters) == 3
    default = Parameters()
    assert [slot_in_epoch(view, default) for view in (1, 12, 13, 8_640, 8_641)] == [0, 0, 1, 719, 719]


@pytest.mark.parametrize(("view", "closes"), [(11, False), (12, True), (13, True), (99, True)])
def test_the_first_block_at_or_beyond_the_last_view_closes_the_epoch(view: int, closes: bool) -> None:
    chain = grown(8)
    block = chain.grow(view=view)
    assert closes_epoch(chain.tip.core.head, chain.parameters) is closes
    chain.grow()
    head = chain.tip.core.head
    assert (head.epoch, head.view) == ((1, 1) if closes else (0, block.header.view + 1))


def test_genesis_closes_nothing() -> None:
    chain = grown()
    assert not closes_epoch(chain.tip.core.head, chain.parameters)
    assert (chain.turn.epoch, chain.turn.parent_view, chain.turn.parent_slot) == (0, 0, -1)


def test_the_head_says_where_the_chain_stands() -> None:
    chain = grown()
    first = chain.grow(tick=5)
    second = chain.grow(view=5, tick=9)
    head = chain.tip.core.head
    assert (head.height, head.epoch, head.view, head.tick, head.slot) == (2, 0, 5, 9, 1)
    assert (head.parent, head.beacon) == (first.header.hash, second.header.beacon)
    assert second.header.parent == first.header.hash


def test_slots_count_over_all_epochs() -> None:
    chain = grown(12)
    assert (chain.tip.core.head.slot, chain.tip.core.schedule.slot) == (3, 3)
    chain.grow(view=5)
    head = chain.tip.core.head
    assert (head.epoch, head.view, head.slot, chain.tip.core.schedule.slot) == (1, 5, 5, 5)


# -- turns ---------------------------------------------------------------------------------------------------------


def test_on_genesis_only_luck_decides() -> None:
    chain = grown()
    schedule = chain.turn.schedule(1)
    assert schedule == Schedule(0, tuple(luck(chain)), 0, 0)
    assert [chain.turn.leader(view) for view in (1, 2, 3)] == luck(chain)[:3]


def test_who_makes_blocks_leads_its_slot_to_the_end() -> None:
    chain = grown(1)
    makers = {chain.blocks[0].header.proposer}
    for _ in range(2):
        makers.add(chain.grow().header.proposer)
    assert makers == {chain.node(luck(chain, derived("lucid beacon v1", chain.chain_id))[0])}
    assert chain.tip.core.schedule.held == 3


def test_one_miss_hands_the_rest_of_the_slot_to_the_next() -> None:
    chain = grown()
    order = chain.turn.schedule(1).order
    chain.grow(view=2)
    assert chain.blocks[-1].header.proposer == chain.node(order[1])
    assert chain.tip.core.schedule == Schedule(0, order, 0, 1)
    chain.grow()
    assert chain.blocks[-1].header.proposer == chain.node(order[1])
    assert chain.tip.core.schedule == Schedule(0, order, 0, 2)


def test_the_schedule_is_fixed_by_the_ledger_before_the_slot() -> None:
    """Evidence in the slot's own blocks changes nothing before the next slot."""
    chain = grown()
    order = chain.turn.schedule(1).order
    chain.grow(chain.evidence(order[1]))
    assert chain.turn.schedule(2) == Schedule(0, order, 0, 1)
    assert chain.turn.leader(3) == order[1]
    assert chain.turn.schedule(4).order[-1] == order[1]


def test_a_wholly_skipped_slot_moves_the_turn_by_its_views() -> None:
    chain = grown(2)
    fresh = chain.turn.schedule(4)
    assert (fresh.slot, fresh.skipped, fresh.held) == (1, 0, 0)
    assert chain.turn.schedule(7) == Schedule(2, fresh.order, 1, 0)
    assert chain.turn.schedule(12) == Schedule(3, fresh.order, 2, 0)
    assert [chain.turn.leader(view) for view in range(4, 12)] == [fresh.order[place % 4] for place in range(8)]
    chain.grow(view=8)
    assert chain.blocks[-1].header.proposer == chain.node(fresh.order[(1 + 3) % 4])
    # The rest of the slot keeps what its first block fixed.
    assert chain.tip.core.schedule == Schedule(2, fresh.order, 1, 1)
    assert chain.turn.leader(9) == fresh.order[(2 - 1 + 3) % 4]


def test_slots_are_skipped_within_an_epoch_only() -> None:
    chain = grown(12)
    assert chain.turn.schedule(1).skipped == 0
    assert chain.turn.schedule(4).skipped == 1


def test_views_beyond_the_epoch_go_round_until_one_closes_it() -> None:
    chain = grown(10)
    order = chain.turn.schedule(11).order
    assert [chain.turn.leader(view) for view in range(11, 19)] == [order[place % 4] for place in range(8)]


def test_who_repeats_a_closing_block() -> None:
    """The same views, counted on within the epoch, from the schedule that the closing block left."""
    chain = grown(12)
    repeat, opening = Turn(chain.tip, chain.parameters, repeat=True), chain.turn
    assert (repeat.epoch, repeat.parent_view, repeat.parent_slot) == (0, 12, 3)
    assert (opening.epoch, opening.parent_view, opening.parent_slot) == (1, 0, -1)
    schedule = chain.tip.core.schedule
    assert repeat.schedule(14) == schedule
    assert [repeat.leader(view) for view in (13, 14, 15)] == [schedule.order[place] for place in (0, 1, 2)]
    # On a block that closes nothing there is no difference.
    chain.grow()
    repeat = Turn(chain.tip, chain.parameters, repeat=True)
    assert (repeat.epoch, repeat.parent_view, repeat.parent_slot) == (1, 1, 0)


def test_an_epoch_opens_with_the_next_set_and_without_penalties() -> None:
    chain = grown(8)
    chain.grow(chain.register(5, 0), chain.retire(0, 1), view=12)
    leaders = {chain.turn.leader(view) for view in range(1, 6)}
    assert leaders == {1, 2, 3, 4}


# -- cooldown ------------------------------------------------------------------------------------------------------


def test_the_primary_and_the_makers_of_a_slot_cool() -> None:
    chain = grown()
    order = chain.turn.schedule(1).order
    chain.grow(view=2)
    assert chain.tip.core.head.leaders == (SlotLeaders(0, (order[0], order[1])),)
    chain.grow()
    assert chain.tip.core.head.leaders == (SlotLeaders(0, (order[0], order[1])),)
    chain = grown(1)
    assert chain.tip.core.head.leaders == (SlotLeaders(0, (order[0],)),)
    chain.grow(view=3)
    assert chain.tip.core.head.leaders == (SlotLeaders(0, (order[0], order[1])),)


def test_only_slots_that_hold_a_block_cool_and_only_so_many() -> None:
    chain = grown(3, cooldown_slots=2)
    chain.grow(view=7)
    assert [leaders.slot for leaders in chain.tip.core.head.leaders] == [0, 2]
    chain.grow(view=10)
    assert [leaders.slot for leaders in chain.tip.core.head.leaders] == [2, 3]


def test_five_nodes_with_a_cooldown_of_sixteen_take_turns() -> None:
    """With c = min(16, 5 - 1), whoever leads a slot led none of the four before it."""
    chain = grown(0, nodes=5)
    primaries: list[int] = []
    for _ in range(40):
        primaries.append(chain.turn.leader(chain.next_view))
        for _ in range(3):
            chain.grow()
        assert len(set(primaries[-5:])) == len(primaries[-5:])
    assert len(chain.tip.core.head.leaders) == 16


def test_a_lone_node_leads_every_view() -> None:
    chain = grown(30, nodes=1)
    assert {block.header.proposer for block in chain.blocks} == {chain.node(0)}
    assert chain.tip.core.head.epoch == 2


# -- heartbeats and evidence in the ranking ------------------------------------------------------------------------


def test_evidence_puts_a_node_last_for_its_epochs() -> None:
    chain = grown(2, evidence_epochs=2)
    chain.grow(chain.evidence(1))
    places: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    while chain.turn.epoch < 3:
        places[chain.turn.epoch].add(chain.turn.schedule(chain.next_view).order.index(1))
        chain.grow()
    assert places[0] == places[1] == {3}
    assert 0 in places[2]


def test_who_sends_heartbeats_leads_those_who_do_not() -> None:
    """Nodes 0 to 2 are up and node 3 is not: once q are eligible, the one that is not stands behind them."""
    chain = grown()
    for slot in range(3):
        chain.grow(*(chain.heartbeat(node, slot, chain.hash) for node in range(3)))
        chain.grow()
        chain.grow()
    assert chain.tip.core.tally.beacons == (3, 3, 3, 0)
    order = chain.turn.schedule(chain.next_view).order
    assert order[-1] == 3
    # Of the three that are eligible two cool; the one that led longest ago is free.
    assert order[0] not in {leaders.members[0] for leaders in chain.tip.core.head.leaders[-2:]}


def test_the_node_with_the_better_record_leads() -> None:
    """All are up, and the validator at place 3 never gets into a certificate."""
    chain = grown(cooldown_slots=1)
    for slot in range(3):
        chain.grow(*(chain.heartbeat(node, slot, chain.hash) for node in range(4)), signers=[0, 1, 2])
        chain.grow(signers=[0, 1, 2])
        chain.grow(signers=[0, 1, 2])
    tally = chain.tip.core.tally
    assert sorted(tally.credits) == [0, 8, 8, 8] and tally.beacons == (3,) * 4
    cooling = chain.tip.core.head.leaders[-1].members
    by_luck = luck(chain)
    free = sorted((n for n in range(4) if n not in cooling), key=lambda n: (-tally.credits[n], by_luck.index(n)))
    assert chain.turn.schedule(chain.next_view).order == (*free, *cooling)


def test_a_pools_best_member_proposes_with_its_own_key() -> None:
    chain = Chain(make_genesis(3, pools=("attic", "attic", "attic")))
    order = chain.turn.schedule(1).order
    assert len(order) == 1
    block = chain.grow()
    assert block.header.entity == b"pool:attic"
    assert block.header.proposer == chain.node(order[0])
    keys = [chain.node(number) for number in range(3)]
    beacon = derived("lucid beacon v1", chain.chain_id)
    assert block.header.proposer == min(keys, key=lambda key: derived("lucid rank v1", beacon + key))
