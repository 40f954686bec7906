"""`lucid sim conform`: both verdicts are told, and the exit status says whether they agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.hunt.judge import SeedOutcome
from harness.proxied import conform as conforming
from harness.proxied.conform import BothVerdicts
from harness.proxied.realverdict import RealVerdict
from harness.verdict import RunVerdict
from tests.cli.command import assert_refused, lucid

CALM = 'nodes = 4\nduration = "1h"\ncalm = "20s"\n'


def outcome(simulated: RunVerdict, real: RunVerdict) -> BothVerdicts:
    why = ("", "") if real is RunVerdict.PASS else ("progress", "no new final block")
    return BothVerdicts(
        SeedOutcome(simulated, "", "", 9_000, 7, "00", {}),
        RealVerdict(real, *why, (8, 9, 9, 9), 900, {"agreement": 35}),
    )


@pytest.mark.parametrize(
    ("simulated", "real", "status"),
    [
        (RunVerdict.PASS, RunVerdict.PASS, 0),
        (RunVerdict.LATE, RunVerdict.PASS, 10),
        (RunVerdict.PASS, RunVerdict.STUCK, 20),
        (RunVerdict.STUCK, RunVerdict.STUCK, 20),
    ],
)
def test_both_verdicts_are_told(
    simulated: RunVerdict, real: RunVerdict, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def conformed(scenario: Any, folder: Path, say: Any) -> BothVerdicts:
        folders.append(folder)
        say("simulating")
        return outcome(simulated, real)

    monkeypatch.setattr(conforming, "conform", conformed)
    (tmp_path / "links.toml").write_text(CALM)
    done = lucid("sim", "conform", tmp_path / "links.toml", "--out", tmp_path / "nodes")
    assert (done.status, done.err, folders) == (status, "simulating\n", [tmp_path / "nodes"])
    first, second, checks = done.out.splitlines()
    assert first == f"simulated: {simulated}, height 7" and checks.split(maxsplit=1) == ["35", "agreement"]
    assert second.startswith(f"real:      {real}") and "heights 8 9 9 9, the first final block 0.9 s after" in second
    document = json.loads(lucid("sim", "conform", tmp_path / "links.toml", "--json").out)
    assert document["agree"] is (simulated is real) and document["real"]["heights"] == [8, 9, 9, 9]
    assert not folders[-1].exists(), "nothing is left of a folder that nobody named"


def test_a_scenario_that_cannot_be_run_so_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "links.toml"
    path.write_text(CALM + '[[fault]]\nkind = "crash"\nnode = 1\nat = "3s"\n')
    assert_refused(lucid("sim", "conform", path), "a proxy cannot do crash; it knows delay, loss, partition, reset")
    path.write_text("nodes = 4\n")
    assert_refused(lucid("sim", "conform", path), "has no calm")
    assert_refused(lucid("sim", "conform", tmp_path / "none.toml"), "no scenario")
