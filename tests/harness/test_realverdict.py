"""Real nodes are judged by their journals as simulated ones are by what they observe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness import invariants, run
from harness.calibration.clients import Promise
from harness.invariants import ANCHORS
from harness.proxied import realverdict
from harness.proxied.realverdict import Disturbance, JournalInvariants, RealVerdict, judge_journals
from harness.timeline.journals import happenings
from harness.verdict import RunVerdict
from lucid.chain.blocks import Block
from lucid.chain.codec import decode
from lucid.chain.genesis import Genesis
from lucid.machines.effects import BlockFinal, BroadcastVote
from lucid.poot.credits import Tally
from sim.scenario import Scenario
from sim.trace import Trace
from sim.world import EPOCH_MS, World

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}
SCENARIO = Scenario(
    name="journals", nodes=4, profile="lan", crypto="real", parameters=FAST, anchor_every_ms=900, duration="14s"
)  # fmt: skip


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Genesis]:
    """Journals of managers, of a simulated network with real keys, and its genesis."""
    folder = tmp_path_factory.mktemp("journals")
    assert run(SCENARIO, folder, trace_file=False, journals=True).verdict is RunVerdict.PASS
    return sorted(folder.rglob("*-manager-*.journal")), World(SCENARIO, Trace()).genesis


def judged(network: tuple[list[Path], Genesis], calm_ms: int = 5_000, promises: Sequence[Promise] = ()) -> RealVerdict:
    return judge_journals(*network, SCENARIO, Disturbance(EPOCH_MS + 3_000, EPOCH_MS + calm_ms), promises)


def test_a_sound_network_passes_and_everything_was_checked(network: tuple[list[Path], Genesis]) -> None:
    found = judged(network)
    assert found.verdict is RunVerdict.PASS and found.back_ms is not None and found.back_ms < 1_500
    assert len(found.heights) == 4 and min(found.heights) >= 11
    checked = {name for name, count in found.checks.items() if count}
    assert checked >= {"agreement", "validity by a naive validator", "no double vote", "state root from scratch"}


def test_what_services_accepted_is_final_in_time_and_what_is_not_is_named(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[JournalInvariants] = []
    check = JournalInvariants.check_promises

    def checked(own: JournalInvariants, promises: Sequence[Promise], settled_ms: int) -> None:
        kept.append(own)
        check(own, promises, settled_ms)

    monkeypatch.setattr(JournalInvariants, "check_promises", checked)
    judged(network)
    heights = [height for _, height in sorted(kept[0].final.items())]
    assert len(heights) > 3
    taken = [Promise(EPOCH_MS + 1_000, 1, each) for each in kept[0].final]
    found = judged(network, promises=taken)
    assert found.verdict is RunVerdict.PASS and found.checks[ANCHORS] == len(taken)
    found = judged(network, promises=[*taken, Promise(EPOCH_MS + 6_000, 2, b"forgotten")])
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, ANCHORS)
    assert "accepted by n02" in found.reason and "not final at height" in found.reason
    monkeypatch.setattr(realverdict, "ANCHOR_BLOCKS", 0)
    monkeypatch.setattr(realverdict, "bound_ms", lambda *_: 1_400)
    late = max(taken, key=lambda each: kept[0].final[each.transaction])
    found = judged(network, promises=[late])
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, ANCHORS) and "final at height" in found.reason


def test_a_block_that_the_naive_validator_refuses_and_a_state_that_is_not_its_own_are_named(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(realverdict, "decode", lambda data, kind: _later(decode(data, kind)))
        found = judged(network)
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, "validity by a naive validator")
    with monkeypatch.context() as patched:
        patched.setattr(invariants, "decode", lambda data, kind: None if kind is Tally else decode(data, kind))
        found = judged(network)
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, "tally equals its recount")
    monkeypatch.setattr(invariants, "state_root", lambda _: bytes(32))
    found = judged(network)
    assert (found.verdict, found.invariant) == (RunVerdict.DIVERGED, "state root from scratch")


def _later(block: Block) -> Block:
    """The block as it would be with another tick, from height 3 on."""
    header = block.header
    if header.height < 3:
        return block
    return structs.replace(block, header=structs.replace(header, tick=header.tick + 1))


def test_no_block_after_the_calm_is_stuck_and_one_too_late_is_late(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(network, 60_000)
    assert (found.verdict, found.invariant, found.back_ms) == (RunVerdict.STUCK, "progress", None)
    monkeypatch.setattr(realverdict, "bound_ms", lambda *_: 1)
    assert judged(network).verdict is RunVerdict.LATE


def test_what_breaks_an_invariant_is_named(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_another(make: Any) -> Any:
        def told(*arguments: Any) -> Any:
            happened, count = happenings(*arguments)
            return [*happened, make(happened)], count

        return told

    end = EPOCH_MS + 14_000
    other = with_another(lambda _: (end, 2, BlockFinal(0, 1, 1, bytes(32))))
    monkeypatch.setattr(realverdict, "happenings", other)
    assert (judged(network).verdict, judged(network).invariant) == (RunVerdict.DIVERGED, "agreement")

    def twice(happened: Any) -> Any:
        lane, last = next((lane, what.vote) for _, lane, what in happened[::-1] if isinstance(what, BroadcastVote))
        return end, lane, BroadcastVote(type(last)(last.epoch, last.view, last.kind, bytes(32), last.signer, bytes(64)))

    monkeypatch.setattr(realverdict, "happenings", with_another(twice))
    assert (judged(network).verdict, judged(network).invariant) == (RunVerdict.DIVERGED, "no double vote")


def test_nodes_that_are_not_level_are_stuck(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    def behind(*arguments: Any) -> Any:
        happened, count = happenings(*arguments)
        return [each for each in happened if each[1] != 3 or each[0] < EPOCH_MS + 7_000], count

    monkeypatch.setattr(realverdict, "happenings", behind)
    found = judged(network)
    assert found.verdict is RunVerdict.STUCK and found.reason.startswith("the nodes are not level: ")
