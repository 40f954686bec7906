"""`lucid sim shrink`: a failing seed becomes small enough to read, and what cannot be shrunk is one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.hunt.judge import RunVerdict, judge
from harness.hunt.shrink import Shrinker
from lucid.machines.engine import Engine
from sim.faults.crash import Crash
from sim.faults.partition import Partition
from sim.faults.power_cut import PowerCut
from sim.scenario import Scenario
from sim.scenariofile import dump, load
from tests.cli.command import assert_refused, lucid
from tests.harness.test_hunt import small


def bulky() -> Scenario:
    """A scenario that fails once an engine forgets its own votes, with much that has nothing to do with it."""
    bulk = [Crash(node=2, at=300 * k, until=300 * k + 200) for k in range(1, 8)]
    cut = PowerCut(node=0, effects=0, back_ms=[1], at=5_000)
    apart = Partition(groups=[[0], [1], [2]], at=3_000, until=5_500)
    # Over connections, what each side says when one is made anew changes who signs when, and nothing halts here.
    plain: dict[str, Any] = {"nodes": 3, "calm": 6_000, "anchor_every_ms": 250, "transport": "datagram"}
    return small(*bulk, apart, cut, **plain, limits={"page_blocks": 8})


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a scenario that fails here."""
    monkeypatch.setattr(Engine, "_count_own", lambda *_: [])
    path = tmp_path / "bulky.toml"
    path.write_text(dump(bulky()), "utf-8")
    return path


def test_a_failing_seed_shrinks_to_what_broke_it(failing: Path, tmp_path: Path) -> None:
    done = lucid("sim", "shrink", failing, "--seconds", "60", "--out", tmp_path / "small", "--json")
    told = json.loads(done.out)
    assert (done.status, done.err, told["verdict"], told["folder"]) == (0, "", "stuck", str(tmp_path / "small"))
    scenario, found = bulky(), load(str(tmp_path / "small"))
    assert len(found.fault) <= 2 < len(scenario.fault) and found.nodes == 2
    assert (told["faults"], told["nodes"]) == ([len(scenario.fault), len(found.fault)], [3, 2])
    assert not found.limits and not found.anchor_every_ms
    outcome = judge(found)
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.STUCK, "progress")
    text = (tmp_path / "small" / "page.md").read_text("utf-8")
    assert "signs skip of view" in text and "-- the calm begins --" in text and outcome.trace_hash in text


def test_what_is_interrupted_leaves_the_smallest_so_far(
    failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_pass(shrinker: Shrinker) -> None:
        shrinker._fewer_faults()
        raise KeyboardInterrupt

    monkeypatch.setattr(Shrinker, "shrink", one_pass)
    done = lucid("sim", "shrink", failing, "--out", tmp_path / "small")
    assert (done.status, done.err) == (130, "lucid: interrupted\n")
    found = load(str(tmp_path / "small"))
    assert len(found.fault) < len(bulky().fault) and judge(found).verdict is RunVerdict.STUCK
    assert done.out.splitlines()[-1] == str(tmp_path / "small" / "scenario.toml")


def test_a_folder_that_cannot_be_made_is_said_before_the_work(
    failing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(shrinker: Shrinker) -> None:
        raise AssertionError("it would be lost")

    monkeypatch.setattr(Shrinker, "shrink", never)
    assert_refused(lucid("sim", "shrink", failing, "--out", failing), "File exists")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["many"], 2, "'many' is neither a seed, which is a whole number, nor a scenario file"),
        (["7", "--profile", "x"], 2, "no profile 'x'"),
        (["7", "--seconds", "0"], 2, "--seconds must be above 0"),
        (["7", "--seconds", "nan"], 2, "--seconds must be above 0"),
        (["7", "--record", "/no/such/file"], 2, "is not a record of a hunt"),
        (["3", "--profile", "crash"], 10, "3 does not fail: pass"),
    ],
)
def test_what_can_not_be_shrunk_is_one_sentence(words: list[str], status: int, says: str) -> None:
    assert_refused(lucid("sim", "shrink", *words), says, status=status)


def test_a_scenario_without_a_calm_is_no_hunted_one(tmp_path: Path) -> None:
    (tmp_path / "plain.toml").write_text("nodes = 2\n")
    assert_refused(lucid("sim", "shrink", tmp_path / "plain.toml"), "has no calm: say from when on", 'calm = "30s"')
    (tmp_path / "wrong.toml").write_text("nods = 2\n")
    assert_refused(lucid("sim", "shrink", tmp_path / "wrong.toml"), "nods: no such key")
