"""What a program or a notebook uses: `from sim import Scenario`, `from harness import run, sweep`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from harness import Ranking, RunResult, RunVerdict, read_result, run, sweep
from harness.result import ResultError
from lucid.machines.effects import BlockFinal, Fact
from sim import Fault, Hooks, Scenario, ScenarioError, changed
from sim.node import Node
from sim.world import World

SHORT = Scenario(nodes=4, duration="2m", anchor_every_ms=5_000)


class Finals:
    """A watcher that counts final blocks at each node."""

    def __init__(self, world: World) -> None:
        self.counts = [0] * len(world.nodes)

    def on_fact(self, now_us: int, node: Node, fact: Fact) -> None:
        """See `Watcher`."""
        if isinstance(fact, BlockFinal):
            self.counts[node.index] += 1

    def on_accepted(self, now_us: int, node: Node, transaction: bytes) -> None:
        """See `Watcher`."""

    def on_fault(self, now_us: int, fault: Fault, begins: bool) -> None:
        """See `Watcher`."""


def test_results_are_typed_and_come_back_from_their_folder(tmp_path: Path) -> None:
    result = run(SHORT, tmp_path, trace_file=False)
    assert result.passed and result.verdict is RunVerdict.PASS and result.invariant == ""
    assert result.blocks.final == len(result.series.chain) and result.series.chain[0].height == 1
    assert result.finality_ms.p50 is not None and result.finality_ms.p50 > 0
    again = read_result(tmp_path)
    assert again == result
    assert json.loads(msgspec.json.encode(again)) == json.loads((tmp_path / "metrics.json").read_bytes())


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "metrics.json: "), ('{"version": 1}', "version 1 of the figures"), ('{"version": 2}', "missing required")],
)
def test_a_folder_without_a_result_of_this_version_says_so(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(ResultError, match=says):
        read_result(tmp_path)
    with pytest.raises(ResultError, match=r"metrics\.json"):
        read_result(tmp_path / "nowhere")


def test_watchers_see_what_happens_and_change_nothing() -> None:
    seen: list[Finals] = []

    def watch(world: World) -> Finals:
        seen.append(Finals(world))
        return seen[0]

    watched, plain = run(SHORT, watchers=[watch]), run(SHORT)
    assert watched.trace_hash == plain.trace_hash
    assert max(seen[0].counts) == watched.blocks.final > 0


class Deafness(Fault, tag="deafness"):
    """A fault of one's own: a node hears nothing."""

    node: int = 0

    def text(self) -> str:
        """See `Fault`."""
        return f"n{self.node:02}"

    def begin(self, world: World) -> Hooks:
        """See `Fault`."""
        others = [each.index for each in world.nodes if each.index != self.node]
        return Hooks(cut=frozenset((each, self.node) for each in others))


def test_a_fault_of_ones_own_acts_and_is_judged_by_its_allowance(tmp_path: Path) -> None:
    deaf = Deafness(node=2, at="30s", until="60s")
    result = run(SHORT, tmp_path, faults=[deaf])
    assert [(each.kind, each.what) for each in result.faults] == [("deafness", "n02")]
    assert result.trace_hash != run(SHORT).trace_hash
    assert result.notes == ["this run had faults of its own, given by a program: the command does not repeat it"]
    assert not SHORT.fault, "the scenario is as it was"


def first_member(ranking: Ranking) -> Sequence[int]:
    """Whoever has the lowest number leads whenever it can."""
    return sorted(ranking.order)


def test_a_leader_policy_holds_for_every_node_and_for_who_checks_them() -> None:
    one = run(changed(SHORT, duration="10m"), leaders=first_member)
    assert one.passed, one.reason
    plain = run(changed(SHORT, duration="10m"))
    assert one.leaders.gini > plain.leaders.gini
    assert run(changed(SHORT, duration="10m")).trace_hash == plain.trace_hash, "a policy is over with its run"


def test_a_policy_that_forgets_a_member_says_so() -> None:
    result = run(SHORT, leaders=lambda ranking: ranking.order[:1])
    assert result.verdict is RunVerdict.DIVERGED and "must order the members [0, 1, 2, 3]" in result.reason


def test_a_run_that_is_told_to_stop_is_a_part_and_says_so(tmp_path: Path) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    part, whole = run(changed(SHORT, duration="1h"), tmp_path, stop=stop), run(SHORT)
    assert part.verdict is RunVerdict.INTERRUPTED and not part.passed
    assert "of 3,600.0 simulated seconds: every figure is of that part" in part.reason
    assert 0 < part.duration_ms < 3_600_000
    rows = min(len(part.series.chain), len(whole.series.chain))
    assert rows and part.series.chain[:rows] == whole.series.chain[:rows]
    assert read_result(tmp_path) == part
    assert "INTERRUPTED" in (tmp_path / "report.html").read_text("utf-8")


def test_a_sweep_from_a_program(tmp_path: Path) -> None:
    found = sweep(changed(SHORT, duration="30s"), {"nodes": [1, 4]}, seeds=2, workers=1, folder=tmp_path / "kept")
    assert [cell.values for cell in found.cells] == [("1",), ("4",)]
    assert [len(found.of(cell)) for cell in found.cells] == [2, 2] and not found.waiting
    assert (tmp_path / "kept" / "runs.jsonl").exists()
    with pytest.raises(ScenarioError, match="no such key"):
        sweep(SHORT, {"nonsense": [1]})


def test_a_result_is_a_value() -> None:
    result: RunResult = run(changed(SHORT, duration="20s"))
    with pytest.raises(AttributeError):
        result.verdict = RunVerdict.DIVERGED  # type: ignore[misc]
    assert structs.replace(result, seed=7).seed == 7
