"""The hunt: what a seed makes is the same everywhere, verdicts are told apart by rule, and nothing found is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.hunt.ablation import AblationError, without
from harness.hunt.judge import RunVerdict, SeedOutcome, judge, worked_off_ms
from harness.hunt.marks import SOMETIMES
from harness.hunt.pool import judge_seed
from harness.hunt.record import HuntHead, HuntRecord, HuntRecordError, Judged, read, scenario_of
from harness.hunt.safeguards import SAFEGUARDS
from harness.hunt.swarm import PROFILES, draw
from harness.invariants import ANCHOR_BLOCKS, ANCHORS, Invariants
from lucid.cli.main import main
from lucid.machines.engine import Engine
from lucid.machines.votelog import VoteLog
from sim.faults.crash import Crash
from sim.faults.wipe import Wipe
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenariofile import dump, load, parse
from sim.trace import Trace
from sim.world import EPOCH_MS, World
from tests.interrupting import interrupt

FAST = {"block_interval_ms": 1_000, "slot_duration_ms": 3_000, "slot_timeout_ms": 1_000, "max_clock_drift_ms": 400}


def small(*faults: Any, nodes: int = 4, **values: Any) -> Scenario:
    """A hunted network of four that is calm after ten seconds."""
    keys: dict[str, Any] = {
        "profile": "lan",
        "anchor_every_ms": 1_000,
        "parameters": FAST,
        "calm": 10_000,
        "duration": "1h",
    }
    return Scenario(name="hunt", nodes=nodes, fault=list(faults), **(keys | values))


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_seed_draws_is_sound_complete_and_always_the_same(profile: str) -> None:
    for seed in range(60):
        scenario = draw(seed, profile)
        assert changed(scenario, seed=scenario.seed) == scenario, "every rule of a scenario holds"
        assert parse(dump(scenario), "again") == draw(seed, profile) == scenario
        guilty = {node for fault in scenario.fault for node in fault.byzantine}
        assert len(guilty) <= (scenario.nodes - 1) // 3


def test_a_seed_has_one_verdict_and_one_trace_whatever_the_hash_seed() -> None:
    script = (
        "from harness.hunt.swarm import draw\nfrom harness.hunt.judge import judge\n"
        "for s in (3, 24, 57): print(judge(draw(s))[:-1])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(seen) == 1 and "RunVerdict" in seen.pop()


def test_a_quiet_network_passes_as_soon_as_it_is_seen_to_go_on() -> None:
    outcome = judge(small())
    assert outcome.verdict is RunVerdict.PASS and outcome.height >= 9 and outcome.at_ms < 13_000
    assert set(outcome.marks) <= set(SOMETIMES) and outcome.marks["a finalize was signed"]


def test_a_chain_that_never_comes_back_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_vote_finalize", lambda *_: [])
    outcome = judge(small())
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.STUCK, "progress")
    assert outcome.reason.startswith("no new final block ") and "n03:0" in outcome.reason


def test_a_rule_that_a_machine_holds_itself_to_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("planted")

    monkeypatch.setattr(Engine, "_vote_finalize", fail)
    outcome = judge(small())
    assert outcome.verdict is RunVerdict.CRASHED and outcome.invariant == "test_hunt.py:fail"
    assert "planted" in outcome.reason


def test_too_few_vote_logs_are_unrecoverable_by_rule() -> None:
    lost = [Wipe(node=node, at=2_000, until=4_000, votes="lost") for node in (0, 1)]
    outcome = judge(small(*lost))
    assert outcome.verdict is RunVerdict.UNRECOVERABLE and not outcome.verdict.failed
    assert outcome.reason == "2 honest validators can talk and have their vote logs, quorum is 3"
    assert judge(small(lost[0])).verdict is RunVerdict.PASS, "one lost log is within f"


def test_a_fault_that_stays_is_lived_with() -> None:
    assert judge(small(Crash(node=3, at=1_000, stays=True))).verdict is RunVerdict.PASS
    outcome = judge(small(*[Crash(node=node, at=1_000, stays=True) for node in (2, 3)]))
    assert outcome.verdict is RunVerdict.UNRECOVERABLE


@pytest.mark.parametrize(
    ("safeguard", "seeds"),
    [("accepted-durable", (11, 12, 17)), ("accepted-taken-up", (11, 20)), ("offered-again", (17, 44, 46))],
)
def test_an_anchor_that_was_accepted_before_the_calm_is_waited_for(safeguard: str, seeds: tuple[int, ...]) -> None:
    for seed in seeds:
        scenario = draw(seed, "crash")
        assert judge(scenario).verdict is RunVerdict.PASS
        with without(safeguard):
            outcome = judge(scenario)
        assert (outcome.verdict, outcome.invariant) == (RunVerdict.DIVERGED, ANCHORS), outcome.reason


def test_anchors_of_a_node_that_nobody_may_judge_are_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = judge(small())
    monkeypatch.setattr(Invariants, "owed", lambda _: frozenset((b"never",)))
    outcome = judge(small())
    assert outcome.verdict is RunVerdict.PASS
    assert 2 * ANCHOR_BLOCKS - 2 <= outcome.height - usual.height <= 2 * ANCHOR_BLOCKS + 2


def test_a_chain_that_halts_while_anchors_wait_is_stuck_though_it_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    finalize = Engine._vote_finalize
    waits = small().calm_ms + 5_000 + EPOCH_MS
    monkeypatch.setattr(Invariants, "owed", lambda _: frozenset((b"never",)))
    monkeypatch.setattr(
        Engine, "_vote_finalize", lambda engine, now, *rest: [] if now > waits else finalize(engine, now, *rest)
    )
    outcome = judge(small())
    assert (outcome.verdict, outcome.invariant) == (RunVerdict.STUCK, "progress")
    assert outcome.reason.startswith("back in time, then no final block for ")


def test_what_comes_while_a_core_is_behind_stands_in_line() -> None:
    busy = World(small(nodes=1, anchor_every_ms=250, disk_us=30_000), Trace())
    share = 4 * (0.030 + 4 * (62 + 31) / 1e6)
    assert worked_off_ms(busy, 317_550) == pytest.approx(317_550 / (1 - share), rel=1e-4)
    quiet = World(small(anchor_every_ms=0, disk_us=30_000), Trace())
    share = 3 * 0.030 + 4 * (16 * 62 + 543) / 1e6
    assert worked_off_ms(quiet, 317_550) == pytest.approx(317_550 / (1 - share), rel=1e-4)
    assert worked_off_ms(quiet, 0) == 0
    assert worked_off_ms(World(small(nodes=1, anchor_every_ms=0), Trace()), 317_550) == 317_550


# -- the record --------------------------------------------------------------------------------------------------

HEAD = HuntHead(1, "abc", "all")


def judged(seed: int, verdict: RunVerdict) -> Judged:
    return Judged(seed, SeedOutcome(verdict, "progress", "why", 7, 3, "00", {}), 0.1)


def test_a_record_is_read_back_though_its_last_line_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "hunt.jsonl"
    record = HuntRecord(path, HEAD)
    record.add(judged(4, RunVerdict.PASS))
    record.add(judged(2, RunVerdict.STUCK))
    record.close()
    path.write_bytes(path.read_bytes() + b'{"seed": 5, "verd')
    again = HuntRecord(path, HEAD)
    assert set(again.lines) == {2, 4} and [line.seed for line in again.failed] == [2]
    assert scenario_of(again.failed[0], "all") == draw(2, "all"), "a failing scenario is kept whole"
    again.close()


def test_another_commit_is_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "hunt.jsonl"
    HuntRecord(path, HEAD).close()
    with pytest.raises(HuntRecordError, match="of commit abc and profile all, this is commit def"):
        HuntRecord(path, HuntHead(1, "def", "all"))
    path.write_text("no json")
    with pytest.raises(HuntRecordError, match="is not a record"):
        read(path)


def test_one_seed_in_twenty_is_run_twice_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def other_each_time(scenario: Scenario) -> SeedOutcome:
        calls.append(scenario.name)
        return SeedOutcome(RunVerdict.PASS, "", "", 1, 1, f"{len(calls):032}", {})

    monkeypatch.setattr("harness.hunt.pool.judge", other_each_time)
    assert judge_seed(21, "all").outcome.verdict is RunVerdict.PASS
    found = judge_seed(40, "all").outcome
    assert (found.verdict, found.invariant, len(calls)) == (RunVerdict.UNSTABLE, "determinism", 3)


# -- the command -------------------------------------------------------------------------------------------------


def test_a_hunt_is_reported_recorded_and_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "hunt.jsonl"
    command = ["sim", "hunt", "--profile", "crash", "--jobs", "1", "--out", str(out), "--json"]
    assert main([*command, "--seeds", "4"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["seeds"], first["judged_now"], first["failed"]) == (4, 4, [])
    assert main([*command, "--seeds", "6"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["seeds"], second["judged_now"]) == (6, 2)
    assert main([*command[:-1], "--seeds", "6"]) == 0
    assert capsys.readouterr().out.startswith("6 seeds of crash: 6 pass; 0 of them now")


def test_sigterm_keeps_what_was_found(tmp_path: Path) -> None:
    out = tmp_path / "hunt.jsonl"
    words = ["sim", "hunt", "--minutes", "5", "--jobs", "2", "--out", str(out)]
    status, printed, said = interrupt(
        words, signal.SIGTERM, lambda pid: out.exists() and out.read_bytes().count(b"\n") >= 5
    )
    assert status == 130 and "run again to go on" in said and "Traceback" not in said
    assert len(read(out)) >= 4 and "seeds of all" in printed


# -- what was found stays found --------------------------------------------------------------------------------------

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.toml"))


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_failed_passes(path: Path) -> None:
    outcome = judge(load(str(path)))
    assert outcome.verdict is RunVerdict.PASS, outcome


@pytest.mark.parametrize("name", ["behind-its-log", "behind-its-finalize", "behind-its-epoch"])
def test_a_vote_log_that_forgets_the_certificate_that_its_key_went_on_by_is_found_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VoteLog, "owed", lambda *_: None)
    assert judge(load(str(REGRESSIONS[0].with_name(f"{name}.toml")))).verdict is RunVerdict.STUCK


def test_an_engine_that_forgets_its_own_votes_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The safeguard of the first three regressions, switched off: each of them is stuck."""
    monkeypatch.setattr(Engine, "_count_own", lambda *_: [])
    for path in REGRESSIONS:
        if path.stem.startswith("own-votes"):
            assert judge(load(str(path))).verdict is RunVerdict.STUCK


# -- ablations ---------------------------------------------------------------------------------------------------


def test_every_safeguard_stands_where_it_is_said_to_and_is_put_back() -> None:
    assert len(SAFEGUARDS) >= 40
    for name, safeguard in SAFEGUARDS.items():
        off = [SAFEGUARDS[each] for each in (name, *safeguard.also)]
        originals = [each.owner.__dict__[each.method] for each in off]
        with without(name):
            assert all(each.owner.__dict__[each.method] is not old for each, old in zip(off, originals, strict=True))
        assert [each.owner.__dict__[each.method] for each in off] == originals
        assert safeguard.profile in PROFILES
        assert safeguard.about and "\n" not in safeguard.about


def test_a_safeguard_whose_text_is_gone_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = SAFEGUARDS["own-votes"]._replace(old="no such text")
    monkeypatch.setitem(SAFEGUARDS, "own-votes", gone)
    with pytest.raises(AblationError, match="own-votes is stale"), without("own-votes"):
        pass
