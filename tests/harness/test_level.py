"""At the end of a run honest nodes are level, or the run says which is behind."""

from __future__ import annotations

from typing import Any

import pytest

from harness.run import run
from harness.verdict import RunVerdict
from lucid.machines.manager import Manager
from sim.faults.crash import Crash
from sim.faults.delay import Delay
from sim.scenario import Scenario
from tests.runs import FAST


def restarted(**values: Any) -> Scenario:
    """One of four nodes is down for a while."""
    fault = [Crash(node=2, at="20s", until="60s"), *values.pop("further", [])]
    keys: dict[str, Any] = {"nodes": 4, "profile": "lan", "duration": "5m", "anchor_every_ms": 0, "parameters": FAST}
    return Scenario(fault=fault, **(keys | values))


def test_a_node_that_never_catches_up_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(restarted()).verdict is RunVerdict.PASS
    monkeypatch.setattr(Manager, "_on_blocks", lambda *_: [])
    result = run(restarted())
    assert (result.verdict, result.invariant) == (RunVerdict.NO_PROGRESS, "progress")
    assert result.reason.startswith("the nodes are not level: n02 is final up to height "), result.reason


@pytest.mark.parametrize("why", ["still down", "just back", "disturbed"])
def test_who_may_be_behind_does_not_fail_it(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Manager, "_on_blocks", lambda *_: [])
    scenario = {
        "still down": restarted(duration="59s"),
        "just back": restarted(duration="75s"),
        "disturbed": restarted(further=[Delay(most_ms=50, at="2m")]),
    }[why]
    assert run(scenario).verdict is RunVerdict.PASS
