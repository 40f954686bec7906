"""The cases that must hold (issue "The chain core, and a simulated network that runs it"), in numbers.

Each is a shipped scenario, shortened, run under all invariants.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from lucid.chain.votes import FINALIZE
from lucid.machines.chain import HEIGHT_TABLE, height_key
from lucid.machines.effects import BlockFinal, BlockValid, EnteredView, Proposed, Signed
from lucid.poot.credits import PPM
from sim.connections import BACKOFF_US, HANDSHAKE_US
from sim.world import World
from tests.runs import FAST, Run, passed, scenario

SECOND_US = 1_000_000
INTERVAL_MS = 10_000
TIMEOUT_MS = 5_000
DRIFT_MS = 2_000


def finals_between(done: Run, first_s: float, last_s: float) -> list[BlockFinal]:
    """What became final at any node within a stretch of simulated seconds."""
    return [fact for at_us, _, fact in done.facts(BlockFinal) if first_s * SECOND_US <= at_us < last_s * SECOND_US]


def assert_steady(done: Run, most_ms: int) -> None:
    """No stretch without a new final block is longer."""
    at_ms = [0, *(block.final_ms for block in done.chain), done.document["duration_ms"]]
    assert max(after - before for before, after in pairwise(at_ms)) <= most_ms


def test_one_node_alone_finalizes() -> None:
    done = passed(scenario("one-node", duration="10m"))
    assert done.document["blocks"] == {"final": 59, "height": 59, "forked": 0, "epoch": 0}
    assert done.document["traffic"]["messages"] == 0
    assert done.document["finality_ms"]["max"] < 100, "a few writes to its own disk"
    assert done.document["sessions"]["waiting"] <= 25, "those of the last interval"


def test_four_nodes_survive_a_crash_and_the_restarted_one_catches_up() -> None:
    fault = [{"kind": "crash", "node": 2, "at": "65s", "until": "245s"}]
    done = passed(scenario("crash-restart", duration="6m", fault=fault))
    assert len({fact.height for fact in finals_between(done, 65, 245)}) >= 16, (
        "a block every ten seconds, but for misses"
    )
    assert not [each for each in done.facts(BlockFinal) if each[1] == 2 and 65 * SECOND_US < each[0] < 245 * SECOND_US]
    done.assert_level()
    assert done.document["caught_up"]["pages"] >= 1 and done.document["caught_up"]["snapshots"] == 0
    caught_up_us = next(at_us for at_us, node, _ in done.facts(BlockFinal) if node == 2 and at_us > 245 * SECOND_US)
    assert caught_up_us <= 260 * SECOND_US
    assert [at for at, node, _ in done.facts(Signed) if node == 2 and at > caught_up_us], "it votes again"


def test_a_node_that_joins_late_takes_a_snapshot() -> None:
    fault = [{"kind": "crash", "node": 3, "at": 0, "until": "375s"}]
    done = passed(
        scenario("late-join", duration="420s", anchor_every_ms=5_000, snapshot_blocks=90, parameters=FAST, fault=fault)
    )
    assert done.document["caught_up"]["snapshots"] == 1
    done.assert_level()
    joined = done.world.nodes[3].manager_disk
    snapshot = min(height for height in range(1, 410) if joined.get(HEIGHT_TABLE, height_key(height)))
    assert snapshot in (270, 360), "it never saw the blocks before the snapshot"
    assert [1 for at, node, _ in done.facts(Signed) if node == 3 and at > 410 * SECOND_US], "it votes"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("groups", [[[0, 1], [2, 3]], [[0, 3], [1, 2]]])
def test_a_split_makes_no_progress_forks_nothing_and_goes_on_after_healing(seed: int, groups: list[list[int]]) -> None:
    begins_s, heals_s = 60 + 3.3 * seed, 180 + 1.7 * seed
    fault = [
        {"kind": "partition", "groups": groups, "at": int(begins_s * 1000), "until": int(heals_s * 1000)},
    ]
    done = passed(scenario("split", seed=seed, duration="5m", transport="datagram", fault=fault))
    assert finals_between(done, 0, begins_s)
    assert not finals_between(done, begins_s + 1, heals_s), "no progress, but for votes that were on their way"
    at_ms = next(at_us for at_us, _, _ in done.facts(BlockFinal) if at_us >= heals_s * SECOND_US) / 1_000
    assert at_ms - heals_s * 1_000 <= 2 * TIMEOUT_MS
    by_height: dict[int, set[bytes]] = {}
    for _, _, fact in done.facts(BlockFinal):
        by_height.setdefault(fact.height, set()).add(fact.hash)
    assert all(len(hashes) == 1 for hashes in by_height.values()), "nothing forks"
    done.assert_level()


def test_after_a_split_nodes_may_have_to_be_dialed_first() -> None:
    fault = [{"kind": "partition", "groups": [[0, 1], [2, 3]], "at": "1m", "until": "3m"}]
    done = passed(scenario("split", duration="5m", fault=fault))
    at_us = next(at_us for at_us, _, _ in done.facts(BlockFinal) if at_us >= 180 * SECOND_US)
    assert at_us <= 180 * SECOND_US + HANDSHAKE_US + BACKOFF_US[1] + 2 * TIMEOUT_MS * 1_000
    done.assert_level()


def test_a_full_power_cut_is_survived() -> None:
    fault = [{"kind": "crash", "node": node, "at": "61s", "until": "121s"} for node in range(4)]
    done = passed(scenario("crash-restart", duration="3m", fault=fault))
    assert not finals_between(done, 61, 121)
    first_us = next(at_us for at_us, _, _ in done.facts(BlockFinal) if at_us >= 121 * SECOND_US)
    assert first_us <= 121 * SECOND_US + 2 * TIMEOUT_MS * 1_000
    assert len(done.chain) >= 10
    done.assert_level()


def test_a_mute_leader_costs_one_timeout_and_half_of_its_score_each_time() -> None:
    done = passed(scenario("mute-leader", duration="25m", anchor_every_ms=5_000))
    chain = done.chain
    misses = [(before, after) for before, after in pairwise(chain) if after.view != before.view + 1]
    assert len(misses) >= 2
    for before, after in misses:
        assert after.view == before.view + 2, "one view, and the next in rank leads the rest of the slot"
        due_ms = before.tick_ms + INTERVAL_MS
        assert 0 <= after.proposed_ms - due_ms - TIMEOUT_MS <= 1_000
        slots = (after.view - 1) // 12 * 12 + 12
        rest = [block for block in chain if after.view <= block.view <= slots]
        assert {block.proposer for block in rest} == {after.proposer}
    assert done.document["missed_views"] == len(misses)
    assert all(block.proposer != 1 for block in chain)
    tally = done.root(0).ledger.core.tally
    penalty = PPM
    for _ in misses:
        penalty = penalty * 500_000 // PPM
    assert tally.penalty_ppm == (PPM, penalty, PPM, PPM)
    done.assert_level()


def test_five_nodes_under_a_cooldown_of_sixteen_never_run_out_of_leaders() -> None:
    done = passed(scenario("small-cooldown", duration="12m", anchor_every_ms=5_000))
    assert done.world.genesis.parameters.cooldown_slots == 16
    assert done.document["missed_views"] == 0 and len(done.chain) == 71
    by_slot: dict[int, set[int]] = {}
    for block in done.chain:
        by_slot.setdefault((block.view - 1) // 2, set()).add(block.proposer)
    slots = [by_slot[slot] for slot in sorted(by_slot)]
    assert len(slots) == 36 and all(len(leaders) == 1 for leaders in slots)
    for place in range(len(slots) - 4):
        assert len(set.union(*slots[place : place + 5])) == 5, "a cooldown of four: whoever led waits for the others"


@pytest.mark.parametrize("offset_ms", [30_000, -30_000])
def test_a_wrong_clock_neither_stalls_the_rest_nor_leads_a_future_block(offset_ms: int) -> None:
    leader = passed(scenario("wrong-clock", duration="15s", fault=[])).chain[0].proposer
    fault = [{"kind": "clock", "node": leader, "at": "5s", "until": "8m", "offset_ms": offset_ms}]
    done = passed(scenario("wrong-clock", duration="15m", fault=fault))
    assert_steady(done, INTERVAL_MS + TIMEOUT_MS + 2_000)
    for block in done.chain:
        assert block.tick_ms <= block.final_ms + DRIFT_MS, "no block of the future becomes final"
    assert all(block.proposer != leader for block in done.chain if block.proposed_ms < 480_000)
    led = {fact.view for at_us, node, fact in done.facts(Proposed) if node == leader and at_us < 480 * SECOND_US}
    missed = {view for _, view, _ in done.document["series"]["skips"]}
    assert 1 in missed and led <= missed, "each of its views was skipped"
    assert bool(led) is (offset_ms > 0), "a slow one would propose only after its view is over"
    final_votes = [at_us for at_us, node, f in done.facts(Signed) if node == leader and f.vote.kind == FINALIZE]
    assert len([at_us for at_us in final_votes if at_us > 480 * SECOND_US]) >= 40, "it takes part again"
    done.assert_level()


def test_timers_follow_the_clock_that_they_were_set_by() -> None:
    fault = [{"kind": "clock", "node": 0, "at": "25s", "until": "35s", "offset_ms": -30_000}]
    done = passed(scenario("one-node", duration="60s", fault=fault))
    assert not finals_between(done, 26, 35), "by its clock, the last block is half a minute ahead"
    assert [fact.height for fact in finals_between(done, 35, 36)] == [3], "the clock is right again, and it knows"


def test_a_chain_over_tor_finalizes() -> None:
    done = passed(scenario("tor", nodes=4, duration="10m"))
    assert len(done.chain) >= 55
    assert 1_000 <= done.document["finality_ms"]["p50"] <= 6_000, "seconds"
    assert done.document["sessions"]["final"] >= 0.9 * done.document["sessions"]["attempts"]
    done.assert_level()


def test_what_was_lost_is_said_again() -> None:
    fault = [{"kind": "loss", "percent": 5.0, "at": "30s", "until": "9m"}]
    done = passed(scenario("lossy", nodes=4, duration="10m", fault=fault))
    assert len(done.chain) >= 56
    assert_steady(done, INTERVAL_MS + 3 * TIMEOUT_MS)
    assert done.document["sessions"]["waiting"] <= 25, "those of the last interval"
    network = done.world.network
    assert sum(network.messages) == network.deliveries, "what is lost never leaves"
    done.assert_level()


def test_pools_take_turns_as_one() -> None:
    parameters = {"slot_duration_ms": 20_000}
    done = passed(scenario("pools", nodes=5, duration="10m", parameters=parameters, pools={"red": [0, 1], "blue": [2]}))
    pool = {0: "red", 1: "red", 2: "blue"}
    by_slot = {(block.view - 1) // 2: pool.get(block.proposer, str(block.proposer)) for block in done.chain}
    entities = [by_slot[slot] for slot in sorted(by_slot)]
    assert len(entities) == 30
    for place in range(len(entities) - 3):
        assert sorted(entities[place : place + 4]) == ["3", "4", "blue", "red"]


def test_epochs_close_and_open_through_crashes() -> None:
    parameters = {**FAST, "epoch_slots": 4}  # an epoch of twelve seconds
    fault = [
        {"kind": "crash", "node": 1, "at": "22s", "until": "26s"},
        {"kind": "crash", "node": 3, "at": "35500ms", "until": "75s"},
        {"kind": "crash", "node": 1, "at": "95s", "until": "98s"},
        {"kind": "crash", "node": 2, "at": "96s", "until": "110s"},
    ]
    done = passed(scenario("short-epochs", nodes=4, duration="150s", parameters=parameters, fault=fault))
    epochs = [block.epoch for block in done.chain]
    assert epochs == sorted(epochs) and set(epochs) == set(range(max(epochs) + 1))
    assert max(epochs) >= 8
    for before, after in pairwise(done.chain):
        if after.epoch != before.epoch:
            assert before.view >= 12, "an epoch closes with a block at or beyond its last view"
            assert after.view < 12
    done.assert_level()
    leaders = {block.proposer for block in done.chain if block.proposed_ms > 115_000}
    assert leaders == {0, 1, 2, 3}, "all lead again"


def test_a_hundred_nodes_finalize() -> None:
    done = passed(scenario("hundred", duration="25s", anchor_every_ms=5_000))
    assert len(done.chain) == 2
    assert len({node for _, node, _ in done.facts(BlockFinal)}) == 100
    done.assert_level()


def test_faults_that_overlap_hold_until_the_last_one_ends() -> None:
    fault: list[dict[str, Any]] = [
        {"kind": "crash", "node": 1, "at": "5s", "until": "20s"},
        {"kind": "crash", "node": 1, "at": "10s", "until": "30s"},
        {"kind": "loss", "percent": 10.0, "at": "5s", "until": "20s"},
        {"kind": "loss", "percent": 40.0, "at": "10s", "until": "15s"},
        {"kind": "withhold", "node": 0, "at": "5s", "until": "20s"},
        {"kind": "withhold", "node": 0, "at": "6s", "until": "30s"},
        {"kind": "partition", "groups": [[0], [2, 3]], "at": "5s", "until": "20s"},
        {"kind": "partition", "groups": [[0, 3], [2]], "at": "10s", "until": "30s"},
        {"kind": "clock", "node": 0, "at": "5s", "until": "20s", "offset_ms": 500},
        {"kind": "clock", "node": 0, "at": "10s", "until": "30s", "offset_ms": -100},
    ]
    seen: dict[int, tuple[bool, int, set[tuple[int, int]], int]] = {}

    def look(world: World) -> None:
        right_us = world.nodes[1].clock_us
        for at_s in (4, 7, 12, 17, 25, 35):

            def note(_: object, at_s: int = at_s) -> None:
                network, clock_us = world.network, world.nodes[0].clock_us
                cut = {pair for pair in network.cut if pair[0] < pair[1]}
                seen[at_s] = world.nodes[1].up, len(network.on_send), cut, (clock_us - right_us) // 1_000

            world.clock.after(at_s * SECOND_US, note)

    passed(scenario("split", duration="70s", fault=fault), look)
    assert seen == {
        4: (True, 0, set(), 0),
        7: (False, 3, {(0, 2), (0, 3)}, 500),
        12: (False, 4, {(0, 2), (0, 3), (2, 3)}, 400),
        17: (False, 3, {(0, 2), (0, 3), (2, 3)}, 400),
        25: (False, 1, {(0, 2), (2, 3)}, -100),
        35: (True, 0, set(), 0),
    }


def test_a_view_is_entered_in_order_by_every_node() -> None:
    fault = [{"kind": "loss", "percent": 5.0, "at": "10s", "until": "150s"}]
    done = passed(scenario("lossy", nodes=4, duration="3m", fault=fault))
    last: dict[int, tuple[int, int]] = {}
    for _, node, fact in done.facts(EnteredView):
        assert (fact.epoch, fact.view) > last.get(node, (-1, 0))
        last[node] = (fact.epoch, fact.view)
    valid = {fact.hash for _, _, fact in done.facts(BlockValid)}
    assert {fact.hash for _, _, fact in done.facts(BlockFinal)} <= valid, "only what was judged becomes final"


def test_a_slow_disk_and_many_anchors_do_not_skip_views() -> None:
    parameters = {**FAST, "slot_timeout_ms": 1_500}
    done = passed(scenario("lan", nodes=4, duration="60s", disk_us=20_000, anchor_every_ms=8, parameters=parameters))
    assert done.document["missed_views"] == 0
