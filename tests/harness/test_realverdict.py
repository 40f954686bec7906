"""Real nodes are judged by their journals as simulated ones are by what they observe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import run
from harness.proxied import realverdict
from harness.proxied.realverdict import REDIAL_MS, RealVerdict, bound_ms, judge_journals
from harness.timeline.journals import happenings
from harness.verdict import RunVerdict
from lucid.chain.genesis import Genesis
from lucid.machines.effects import BlockFinal, BroadcastVote
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


def judged(network: tuple[list[Path], Genesis], calm_ms: int = 5_000) -> RealVerdict:
    return judge_journals(*network, SCENARIO, EPOCH_MS + calm_ms)


def test_a_sound_network_passes_and_everything_was_checked(network: tuple[list[Path], Genesis]) -> None:
    found = judged(network)
    assert found.verdict is RunVerdict.PASS and found.back_ms is not None and found.back_ms < 1_500
    assert len(found.heights) == 4 and min(found.heights) >= 11
    checked = {name for name, count in found.checks.items() if count}
    assert checked >= {"agreement", "validity by a naive validator", "no double vote", "state root from scratch"}
    assert "accepted anchors final in time" not in checked, "what clients were promised is in no journal"


def test_no_block_after_the_calm_is_stuck_and_one_too_late_is_late(
    network: tuple[list[Path], Genesis], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(network, 60_000)
    assert (found.verdict, found.invariant, found.back_ms) == (RunVerdict.STUCK, "progress", None)
    monkeypatch.setattr(realverdict, "bound_ms", lambda _: 1)
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


@pytest.mark.parametrize(("calm_ms", "factor"), [(3_999, 1), (4_000, 2), (11_999, 2), (12_000, 4), (3_600_000, 16)])
def test_the_bound_counts_timeouts_as_they_may_have_grown(calm_ms: int, factor: int) -> None:
    scenario = Scenario(name="bound", nodes=4, parameters=FAST, calm=calm_ms, duration="2h")
    assert bound_ms(scenario) == 2 * factor * 1_000 + 1_000 + REDIAL_MS
