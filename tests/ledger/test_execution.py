"""What a block does to the ledger: roll-overs, credits, penalties, cooldown and late votes, on chains worked by hand.

Slots have three views, epochs four slots and the window three slots unless a test says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.codec import decode
from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Parameters
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.ledger.execution import Turn, closes_epoch, opened_tally, slot_in_epoch
from lucid.ledger.rows import RecentBlock, SlotLeaders, slot_key
from lucid.poot.credits import PPM, Member, SlotWork, Tally
from lucid.poot.schedule import Schedule
from tests.builders import CRYPTO, Chain, digest, make_genesis, secret, small_parameters
from tests.naive_tree import derived


def grown(blocks: int = 0, nodes: int = 4, **genesis: Any) -> Chain:
    chain = Chain(make_genesis(nodes, **genesis))
    for _ in range(blocks):
        chain.grow()
    return chain


def work(chain: Chain, slot: int) -> SlotWork | None:
    stored = chain.tip.row(slot_key(slot))
    return None if stored is None else decode(stored, SlotWork)


def by_place(chain: Chain, places: Iterable[int]) -> tuple[int, ...]:
    """Ones for the members who are validators at these places, zeros for the others."""
    members = {chain.tip.core.roster.validators[place] for place in places}
    return tuple(int(number in members) for number in range(len(chain.tip.core.roster.members)))


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


# -- missed views --------------------------------------------------------------------------------------------------


def test_each_missed_view_costs_its_leader() -> None:
    chain = grown()
    order = chain.turn.schedule(1).order
    chain.grow(view=3)
    expected = [PPM] * 4
    expected[order[0]] = expected[order[1]] = 500_000
    assert chain.tip.core.tally.penalty_ppm == tuple(expected)


def test_penalties_multiply_and_are_floored() -> None:
    chain = grown(nodes=1, missed_slot_penalty_ppm=333_333)
    chain.grow(view=4)
    # 1 000 000 -> 333 333 -> 111 110.8... -> 37 036.6...
    assert chain.tip.core.tally.penalty_ppm == (37_036,)
    chain.grow(view=5)
    assert chain.tip.core.tally.penalty_ppm == (37_036,)
    chain.grow(view=7)
    assert chain.tip.core.tally.penalty_ppm == (12_345,)


def test_a_missed_view_costs_the_whole_pool() -> None:
    chain = grown(nodes=3, pools=("attic", "attic"))
    order = chain.turn.schedule(1).order
    assert len(order) == 2
    chain.grow(view=2)
    pool, alone = (500_000, 500_000, PPM), (PPM, PPM, 500_000)
    assert chain.tip.core.tally.penalty_ppm == (alone if order[0] == 2 else pool)
    chain = grown(nodes=3, pools=("attic", "attic"))
    chain.grow(view=3)
    assert chain.tip.core.tally.penalty_ppm == (500_000,) * 3


def test_missed_views_of_skipped_slots_cost_too() -> None:
    chain = grown(3)
    leaders = [chain.turn.leader(view) for view in range(4, 9)]
    chain.grow(view=9)
    penalties = [PPM] * 4
    for number in leaders:
        penalties[number] //= 2
    assert len(leaders) == 5 and chain.tip.core.tally.penalty_ppm == tuple(penalties)


def test_a_new_epoch_forgets_penalties_and_counts_its_own() -> None:
    chain = grown(3)
    chain.grow(view=12)
    assert min(chain.tip.core.tally.penalty_ppm) < PPM
    fork = chain.copy()
    chain.grow()
    assert chain.tip.core.tally.penalty_ppm == (PPM,) * 4
    missed = fork.turn.leader(1)
    fork.grow(view=2)
    assert fork.tip.core.tally.penalty_ppm == tuple(500_000 if number == missed else PPM for number in range(4))


def test_an_opened_tally_forgets_nothing_else() -> None:
    tally = Tally((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))
    assert opened_tally(tally) == Tally((1, 2), (3, 4), (5, 6), (PPM, PPM), (9, 10))


# -- credits of votes ----------------------------------------------------------------------------------------------


def test_the_votes_in_the_parent_certificate_are_credited_in_the_parents_slot() -> None:
    chain = grown(3)
    assert work(chain, 0) is not None
    before = chain.tip.core.tally.credits
    slot_0 = work(chain, 0)
    chain.grow(signers=[0, 2, 3])
    after = tuple(old + new for old, new in zip(before, by_place(chain, [0, 2, 3]), strict=True))
    assert chain.tip.core.tally.credits == after
    assert slot_0 is not None
    credited = tuple(old + new for old, new in zip(slot_0.credits, by_place(chain, [0, 2, 3]), strict=True))
    assert work(chain, 0) == SlotWork(credited, (0,) * 4)
    assert work(chain, 1) == SlotWork((0,) * 4, (0,) * 4)


def test_a_vote_is_worth_what_genesis_says() -> None:
    for worth in (0, 7):
        chain = grown(1, vote_credits=worth)
        chain.grow(signers=[0, 1, 2])
        assert chain.tip.core.tally.credits == tuple(worth * one for one in by_place(chain, [0, 1, 2]))


def test_genesis_has_no_votes() -> None:
    chain = grown(1)
    assert chain.tip.core.tally.credits == (0,) * 4


def test_the_finality_of_a_closing_block_is_credited_to_the_set_that_gave_it() -> None:
    chain = grown(11, leader_window_days=14)
    old = chain.tip.core.roster.validators
    chain.grow(chain.register(5, 0), chain.retire(old[0], 1))
    before = chain.tip.core.tally.credits
    chain.grow(signers=[0, 1, 3])
    assert chain.tip.core.head.slot == 4
    assert chain.tip.core.roster.validators != old and 4 in chain.tip.core.roster.validators
    expected = [credits + (number in {old[0], old[1], old[3]}) for number, credits in enumerate(before)]
    assert chain.tip.core.tally.credits == tuple(expected)
    slot_3, slot_4 = work(chain, 3), work(chain, 4)
    assert slot_3 is not None and sum(slot_3.credits) == 9
    assert slot_4 == SlotWork((0,) * 5, (0,) * 5)


# -- the window ----------------------------------------------------------------------------------------------------


def test_held_counts_slots_with_a_block_in_the_window() -> None:
    chain = grown()
    held = []
    for _ in range(12):
        chain.grow()
        held.append(chain.tip.core.tally.held[0])
    assert held == [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert [slot for slot in range(5) if work(chain, slot)] == [1, 2, 3]


def test_an_empty_slot_holds_nothing_and_lets_go_all_the_same() -> None:
    chain = grown(3)
    chain.grow(view=10)
    # Slot 0 has left the window of slots 1 to 3; 1 and 2 hold no block.
    assert [slot for slot in range(5) if work(chain, slot)] == [3]
    assert chain.tip.core.tally.held == (1,) * 4


def test_work_leaves_with_its_slot() -> None:
    chain = grown(1)
    chain.grow(chain.heartbeat(2, 0, chain.chain_id), signers=[0, 1, 2])
    in_slot_0 = by_place(chain, [0, 1, 2])
    assert chain.tip.core.tally.credits == in_slot_0
    # The certificate in the first block of slot 1 still earns in slot 0; then one block a slot earns in its own.
    chain.grow(view=4, signers=[0, 1, 2])
    chain.grow(view=7, signers=[1, 2, 3])
    assert chain.tip.core.tally.beacons == (0, 0, 1, 0)
    assert sum(chain.tip.core.tally.credits) == 9
    chain.grow(view=10, signers=[1, 2, 3])
    assert work(chain, 0) is None
    expected = [2 * one for one in by_place(chain, [1, 2, 3])]
    assert chain.tip.core.tally.credits == tuple(expected)
    assert chain.tip.core.tally.beacons == (0, 0, 0, 0)
    assert chain.tip.core.tally.held == (3,) * 4


def test_a_parent_whose_slot_has_left_the_window_earns_nothing() -> None:
    chain = grown(3)
    fork = chain.copy()
    chain.grow(view=9)
    assert sum(chain.tip.core.tally.credits) == 9
    fork.grow(view=10)
    assert sum(fork.tip.core.tally.credits) == 0
    assert work(fork, 0) is None
    fork.grow()
    assert sum(fork.tip.core.tally.credits) == 3


@given(steps=st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(0, 3))), min_size=1, max_size=20))
def test_the_totals_are_the_sums_of_the_window(steps: list[tuple[int, set[int]]]) -> None:
    """Whatever is skipped: credits and heartbeats are those in the window's rows, held is their number."""
    chain = grown()
    for missed, alive in steps:
        view = chain.next_view + missed
        slot = chain.turn.schedule(view).slot
        row = work(chain, slot)
        epoch, slot_of_epoch = divmod(slot, 4)
        due = [node for node in sorted(alive) if row is None or not row.beacons[node]]
        chain.grow(*(chain.heartbeat(node, slot_of_epoch, chain.hash, epoch) for node in due), view=view)
        rows = {each: row for each in range(slot + 2) if (row := work(chain, each)) is not None}
        assert slot in rows and slot - 3 < min(rows)
        tally = chain.tip.core.tally
        assert tally.credits == tuple(sum(row.credits[node] for row in rows.values()) for node in range(4))
        assert tally.beacons == tuple(sum(row.beacons[node] for row in rows.values()) for node in range(4))
        assert tally.held == (len(rows),) * 4


# -- members who come and go ---------------------------------------------------------------------------------------


def test_a_new_member_counts_from_its_first_epoch() -> None:
    chain = grown(2)
    chain.grow(chain.register(5, 0))
    assert chain.tip.core.tally.held == (1, 1, 1, 1, 0)
    while chain.tip.core.head.slot < 4:
        chain.grow()
    assert chain.tip.core.tally.held == (3, 3, 3, 3, 1)
    place = chain.tip.core.roster.validators.index(4)
    chain.grow(chain.heartbeat(5, 0, chain.hash, 1), signers=range(5))
    assert place < 5
    assert chain.tip.core.tally.credits[4] == 1
    assert chain.tip.core.tally.beacons == (0, 0, 0, 0, 1)
    while chain.tip.core.head.slot < 7:
        chain.grow()
    assert chain.tip.core.tally.held == (3,) * 5
    assert chain.tip.core.tally.beacons == (0,) * 5


def test_a_retired_member_keeps_its_number_and_its_record() -> None:
    chain = grown(2)
    number = chain.tip.core.roster.validators[1]
    chain.grow(chain.heartbeat(number, 0, chain.chain_id), chain.retire(number, 0), signers=range(4))
    tally = chain.tip.core.tally
    assert (tally.credits[number], tally.beacons[number], tally.held[number]) == (2, 1, 1)
    while chain.tip.core.head.slot < 4:
        chain.grow()
    assert len(chain.tip.core.roster.validators) == 3 and number not in chain.tip.core.roster.validators
    assert chain.tip.core.tally.held == (3,) * 4
    assert chain.tip.core.roster.members[number].retired


def test_who_comes_back_starts_over_with_its_number_and_its_evidence() -> None:
    chain = grown(2)
    number = chain.tip.core.roster.validators[1]
    chain.grow(chain.heartbeat(number, 0, chain.chain_id), chain.evidence(number), chain.retire(number, 0))
    assert chain.tip.core.tally.credits[number] > 0
    chain.grow(chain.register(number, 1, pool="attic"), signers=range(4))
    tally, member = chain.tip.core.tally, chain.tip.core.roster.members[number]
    assert (member.pool, member.since, member.retired) == ("attic", 4, False)
    assert (tally.credits[number], tally.beacons[number], tally.held[number]) == (0, 0, 0)
    assert tally.evidence_until[number] == 7
    assert len(chain.tip.core.roster.members) == 4
    # In the rest of this epoch it still votes, which earns it nothing; nothing of its past leaves the window either.
    while chain.tip.core.head.slot < 7:
        chain.grow(signers=range(4))
        tally = chain.tip.core.tally
        if chain.tip.core.head.slot < 4:
            assert (tally.credits[number], tally.held[number]) == (0, 0)
    assert tally.held[number] == 3


def test_coming_back_in_the_same_block_forgets_the_votes_of_that_block() -> None:
    chain = grown(1)
    number = chain.tip.core.roster.validators[0]
    chain.grow(chain.retire(number, 0), chain.register(number, 1), signers=[0, 1, 2])
    assert chain.tip.core.tally.credits[number] == 0
    assert chain.tip.next_validators.hash == chain.tip.validators.hash


def test_a_slots_row_has_a_column_for_whoever_registers_in_it() -> None:
    chain = grown(1)
    chain.grow(chain.register(5, 0), chain.heartbeat(0, 0, chain.chain_id))
    assert work(chain, 0) == SlotWork((*by_place(chain, [0, 1, 2])[:4], 0), (1, 0, 0, 0, 0))
    assert {len(column) for column in (chain.tip.core.tally.credits, chain.tip.core.tally.penalty_ppm)} == {5}


# -- recent blocks -------------------------------------------------------------------------------------------------


def test_recent_are_the_blocks_of_two_slots_and_the_last_before() -> None:
    chain = grown()
    kept = []
    for _ in range(10):
        chain.grow()
        kept.append([block.view for block in chain.tip.core.head.recent])
    assert kept == [
        [0], [0, 1], [0, 1, 2],
        [0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5],
        [3, 4, 5, 6], [3, 4, 5, 6, 7], [3, 4, 5, 6, 7, 8],
        [6, 7, 8, 9],
    ]  # fmt: skip


def test_recent_remembers_the_last_block_before_skipped_slots() -> None:
    chain = grown(5)
    chain.grow(view=12)
    assert [block.view for block in chain.tip.core.head.recent] == [5]


def test_what_is_remembered_of_a_block() -> None:
    chain = grown(nodes=9)
    chain.grow()
    first = chain.tip.core.head.recent[-1]
    assert first == RecentBlock(-1, 0, 0, chain.chain_id, bytes(2))
    hash_ = chain.hash
    chain.grow(signers=[0, 1, 2, 3, 4, 6, 8])
    assert chain.tip.core.head.recent[-1] == RecentBlock(0, 0, 1, hash_, b"\x5f\x01")


def test_recent_goes_across_the_epoch() -> None:
    chain = grown(14)
    assert [(block.epoch, block.view, block.slot) for block in chain.tip.core.head.recent] == [
        (0, 9, 2), (0, 10, 3), (0, 11, 3), (0, 12, 3), (1, 1, 4),
    ]  # fmt: skip


# -- late votes ----------------------------------------------------------------------------------------------------


def missed_votes(chain: Chain, views: Iterable[int], places: Iterable[int] = (3,)) -> list[Vote]:
    """Notarize votes for blocks of this chain by validators at these places."""
    keys = chain.tip.validators.keys
    blocks = {block.header.view: block.header.hash for block in chain.blocks}
    return [chain.vote(keys[place], NOTARIZE, blocks[view], view) for view in views for place in sorted(places)]


def test_a_late_vote_is_credited_in_the_slot_of_its_block() -> None:
    chain = grown(4)
    before = chain.tip.core.tally.credits
    slots = [work(chain, 0), work(chain, 1)]
    block = chain.grow(late_votes=missed_votes(chain, [2, 4]), signers=[0, 1, 2])
    assert len(block.late_votes) == 2
    member = chain.tip.core.roster.validators[3]
    assert chain.tip.core.tally.credits[member] == before[member] + 2
    for slot, old in enumerate(slots):
        now = work(chain, slot)
        assert old is not None and now is not None and now.credits[member] == old.credits[member] + 1
    credited = {recent.view: recent.credited for recent in chain.tip.core.head.recent}
    assert credited == {0: b"\x00", 1: b"\x07", 2: b"\x0f", 3: b"\x07", 4: b"\x0f"}


def test_a_late_vote_counts_once() -> None:
    chain = grown(4)
    late = missed_votes(chain, [2])
    chain.grow(late_votes=late)
    assert chain.build(late_votes=late).late_votes == ()
    assert chain.build(late_votes=missed_votes(chain, [3], [0])).late_votes == ()
    # One that the certificate of the very parent holds is none either; the one that it lacks is.
    assert len(chain.build(late_votes=missed_votes(chain, [5], [0, 1, 2, 3])).late_votes) == 1


def test_late_votes_reach_back_to_the_slot_before() -> None:
    chain = grown(6)
    for view in range(1, 7):
        expected = int(view > 3)  # the block will be of slot 2, and slot 1 begins with view 4
        assert len(chain.build(late_votes=missed_votes(chain, [view])).late_votes) == expected


def test_a_leader_leaves_out_what_can_not_be_credited() -> None:
    chain = grown(4)
    keys = chain.tip.validators.keys
    good = missed_votes(chain, [2, 3])
    hash_ = chain.blocks[2].header.hash
    bad = [
        chain.vote(keys[3], NOTARIZE, digest("other"), 3),
        chain.vote(keys[3], NOTARIZE, hash_, 2),
        chain.vote(keys[3], FINALIZE, hash_, 3),
        chain.vote(keys[3], SKIP, b"", 3),
        chain.vote(keys[3], NOTARIZE, hash_, 3, epoch=1),
        chain.vote(chain.node(6), NOTARIZE, hash_, 3),
    ]
    assert chain.build(late_votes=[good[0], *bad, good[1]]).late_votes == tuple(good)
    assert chain.build(late_votes=[good[1], good[0]]).late_votes == (good[1],)
    assert chain.build(late_votes=[good[0], good[0]]).late_votes == (good[0],)


def late_votes_code(chain: Chain, votes: Iterable[Vote]) -> Code | None:
    """What a judge makes of a block with these late votes."""
    return chain.refusal(chain.rebody(chain.seal(chain.build()), late_votes=tuple(votes)))


def test_a_judge_refuses_what_can_not_be_credited() -> None:
    chain = grown(4)
    keys, hash_ = chain.tip.validators.keys, chain.blocks[2].header.hash
    late = missed_votes(chain, [2, 3])
    for votes in (
        late[::-1],
        [late[0], late[0]],
        [*late, chain.vote(keys[3], NOTARIZE, digest("other"), 4)],
        [chain.vote(keys[3], NOTARIZE, hash_, 2)],
        [chain.vote(keys[3], FINALIZE, hash_, 3)],
        [chain.vote(keys[3], NOTARIZE, hash_, 3, epoch=1)],
        [chain.vote(chain.node(6), NOTARIZE, hash_, 3)],
        missed_votes(chain, [3], [1]),
    ):
        assert late_votes_code(chain, votes) is Code.BLOCK_LATE_VOTES
    # In order they are credited, and what is wrong is only the root that was computed without them.
    assert late_votes_code(chain, late) is Code.BLOCK_STATE_ROOT
    both = missed_votes(grown(4, nodes=6), [2], [4, 5])
    chain = grown(4, nodes=6)
    assert late_votes_code(chain, both) is Code.BLOCK_LATE_VOTES, "place 4 is in the certificate"
    both = missed_votes(chain, [2, 3], [5])
    assert late_votes_code(chain, both) is Code.BLOCK_STATE_ROOT


def test_late_votes_ascend_by_view_and_then_by_validator() -> None:
    chain = grown(4, nodes=9)
    late = missed_votes(chain, [2, 3], [7, 8])
    assert len(chain.grow(late_votes=late).late_votes) == 4
    chain = grown(4, nodes=9)
    swapped = [late[1], late[0], late[2], late[3]]
    assert late_votes_code(chain, swapped) is Code.BLOCK_LATE_VOTES
    assert late_votes_code(chain, [late[2], late[1]]) is Code.BLOCK_LATE_VOTES


def test_a_late_vote_must_be_signed() -> None:
    chain = grown(4)
    (late,) = missed_votes(chain, [2])
    forged = Vote(late.epoch, late.view, late.kind, late.block, late.signer, bytes(64))
    assert late_votes_code(chain, [forged]) is Code.BLOCK_LATE_VOTES
    with pytest.raises(Refusal):
        chain.build(late_votes=[forged])


def test_nobody_votes_for_genesis() -> None:
    """Its view is 0 and its slot -1: a validator may sign such a vote, and it must earn nothing and break nothing."""
    for size in (1, 4):
        chain = grown(nodes=size)
        vote = chain.vote(chain.node(0), NOTARIZE, chain.chain_id, 0)
        for _ in range(4):
            assert chain.build(late_votes=[vote]).late_votes == ()
            assert late_votes_code(chain, [vote]) is Code.BLOCK_LATE_VOTES
            chain.grow()


def test_late_votes_of_an_epoch_end_with_it() -> None:
    chain = grown(12)
    late = missed_votes(chain, [11])
    assert chain.build(late_votes=late).late_votes == ()
    assert late_votes_code(chain, late) is Code.BLOCK_LATE_VOTES


def test_late_votes_in_a_new_epoch_are_of_its_own_set() -> None:
    chain = grown(11)
    chain.grow(chain.register(5, 0), chain.register(6, 1))
    chain.grow(signers=[0, 1, 2])
    assert chain.tip.core.head.epoch == 1
    places = [place for place, key in enumerate(chain.tip.validators.keys) if key in (chain.node(5), chain.node(6))]
    others = [place for place in range(6) if place not in places]
    late = chain.vote(chain.tip.validators.keys[places[1]], NOTARIZE, chain.hash, 1, epoch=1)
    chain.grow(signers=[*others, places[0]])
    chain.grow(signers=[*others, places[0]], late_votes=[late])
    earned = work(chain, 4)
    assert earned is not None
    assert [earned.credits[chain.tip.core.roster.validators[place]] for place in (*others, *places)] == [2, 2, 2, 2, 2, 1]


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


def test_members_are_numbered_as_genesis_names_them() -> None:
    chain = grown(1)
    assert chain.tip.core.roster.members == tuple(
        Member(CRYPTO.public_key(secret(f"node {number}")), f"node {number}", "", 0, False) for number in range(4)
    )
