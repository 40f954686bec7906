"""What a block does to the tally, the members and the recent blocks, on chains worked by hand.

Slots have three views, epochs four slots and the window three slots unless a test says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from lucid.ledger.rows import RecentBlock
from lucid.poot.credits import PPM, SlotWork, Tally, opened_tally
from lucid.poot.members import Member
from tests.builders import CRYPTO, Chain, grown, secret


def by_place(chain: Chain, places: Iterable[int]) -> tuple[int, ...]:
    """Ones for the members who are validators at these places, zeros for the others."""
    members = {chain.tip.core.roster.validators[place] for place in places}
    return tuple(int(number in members) for number in range(len(chain.tip.core.roster.members)))


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
    assert chain.work(0) is not None
    before = chain.tip.core.tally.credits
    slot_0 = chain.work(0)
    chain.grow(signers=[0, 2, 3])
    after = tuple(old + new for old, new in zip(before, by_place(chain, [0, 2, 3]), strict=True))
    assert chain.tip.core.tally.credits == after
    assert slot_0 is not None
    credited = tuple(old + new for old, new in zip(slot_0.credits, by_place(chain, [0, 2, 3]), strict=True))
    assert chain.work(0) == SlotWork(credited, (0,) * 4)
    assert chain.work(1) == SlotWork((0,) * 4, (0,) * 4)


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
    slot_3, slot_4 = chain.work(3), chain.work(4)
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
    assert [slot for slot in range(5) if chain.work(slot)] == [1, 2, 3]


def test_an_empty_slot_holds_nothing_and_lets_go_all_the_same() -> None:
    chain = grown(3)
    chain.grow(view=10)
    # Slot 0 has left the window of slots 1 to 3; 1 and 2 hold no block.
    assert [slot for slot in range(5) if chain.work(slot)] == [3]
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
    assert chain.work(0) is None
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
    assert fork.work(0) is None
    fork.grow()
    assert sum(fork.tip.core.tally.credits) == 3


@given(steps=st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(0, 3))), min_size=1, max_size=20))
def test_the_totals_are_the_sums_of_the_window(steps: list[tuple[int, set[int]]]) -> None:
    """Whatever is skipped: credits and heartbeats are those in the window's rows, held is their number."""
    chain = grown()
    for missed, alive in steps:
        view = chain.next_view + missed
        slot = chain.turn.schedule(view).slot
        row = chain.work(slot)
        epoch, slot_of_epoch = divmod(slot, 4)
        due = [node for node in sorted(alive) if row is None or not row.beacons[node]]
        chain.grow(*(chain.heartbeat(node, slot_of_epoch, chain.hash, epoch) for node in due), view=view)
        rows = {each: row for each in range(slot + 2) if (row := chain.work(each)) is not None}
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


def test_a_heartbeat_before_ones_first_slot_is_counted_and_earns_nothing() -> None:
    """Who is retired and registered again stays a validator of this epoch, and is a member from the next."""
    chain = grown(1)
    number = chain.tip.core.roster.validators[0]
    chain.grow(chain.retire(number, 0), chain.register(number, 1))
    chain.grow(chain.heartbeat(number, 0, chain.chain_id))
    row = chain.work(0)
    assert row is not None and row.beacons[number] == 1
    assert chain.tip.core.tally.beacons == (0,) * 4
    while chain.tip.core.head.slot < 4:
        chain.grow()
    assert (chain.tip.core.tally.beacons[number], chain.tip.core.tally.held[number]) == (0, 1)


def test_a_row_that_nothing_is_proven_of_stays_as_short_as_it_was() -> None:
    chain = grown(5)
    before = chain.work(0), chain.work(1)
    chain.grow(chain.register(5, 0))
    chain.grow()
    chain.grow()
    slot_0, slot_1, slot_2 = (chain.work(slot) for slot in range(3))
    assert slot_0 == before[0] and slot_0 is not None and len(slot_0.credits) == 4
    assert slot_1 is not None and slot_2 is not None
    assert {len(column) for row in (slot_1, slot_2) for column in (row.credits, row.beacons)} == {5}
    # The short row leaves the window like any other.
    while chain.tip.core.head.slot < 3:
        chain.grow()
    assert chain.work(0) is None and chain.tip.core.tally.held == (3, 3, 3, 3, 0)


def test_coming_back_in_the_same_block_forgets_the_votes_of_that_block() -> None:
    chain = grown(1)
    number = chain.tip.core.roster.validators[0]
    chain.grow(chain.retire(number, 0), chain.register(number, 1), signers=[0, 1, 2])
    assert chain.tip.core.tally.credits[number] == 0
    assert chain.tip.next_validators.hash == chain.tip.validators.hash


def test_a_slots_row_has_a_column_for_whoever_registers_in_it() -> None:
    chain = grown(1)
    chain.grow(chain.register(5, 0), chain.heartbeat(0, 0, chain.chain_id))
    assert chain.work(0) == SlotWork((*by_place(chain, [0, 1, 2])[:4], 0), (1, 0, 0, 0, 0))
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


def test_members_are_numbered_as_genesis_names_them() -> None:
    chain = grown(1)
    assert chain.tip.core.roster.members == tuple(
        Member(CRYPTO.public_key(secret(f"node {number}")), f"node {number}", "", 0, False) for number in range(4)
    )
