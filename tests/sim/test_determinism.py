"""One scenario and one seed give one history: in any process, whatever is written down beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lucid.machines.effects import Submitted
from sim.workload import Workload
from sim.world import World
from tests.runs import Run, passed, run, scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = """
name = "restless"
nodes = 5
duration = "100s"

[parameters]
block_interval_ms = 2000
slot_duration_ms = 6000
epoch_slots = 5

[[fault]]
kind = "crash"
node = 1
at = "21s"
until = "47s"

[[fault]]
kind = "loss"
percent = 10.0
at = "50s"
until = "60s"

[[fault]]
kind = "partition"
groups = [[0, 1], [2, 3, 4]]
at = "65s"
until = "75s"

[[fault]]
kind = "clock"
node = 4
at = "80s"
until = "90s"
offset_ms = 1500
"""
"""Every kind of disorder, and a few epochs, in little time."""

Judged = tuple[str, str, str]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    path = tmp_path_factory.mktemp("scenario") / "restless.toml"
    path.write_text(SCENARIO, "utf-8")
    return path


def in_a_process(file: Path, hash_seed: str, out: Path, *options: str) -> Judged:
    """Run `lucid sim run` in a process of its own; returns its verdict, trace hash and state root."""
    words = ["-m", "lucid.cli.main", "sim", "run", str(file), "--out", str(out), "--json", *options]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return judged(json.loads(done.stdout))


def judged(document: dict[str, Any]) -> Judged:
    return document["verdict"], document["trace_hash"], document["state_root"]


def test_two_processes_with_other_hash_seeds_agree_with_and_without_files(file: Path, tmp_path: Path) -> None:
    found = {
        in_a_process(file, "0", tmp_path / "a"),
        in_a_process(file, "4242", tmp_path / "b", "--no-trace"),
        in_a_process(file, "1", tmp_path / "c", "--journal"),
    }
    assert len(found) == 1
    assert judged(run(scenario(str(file))).document) in found, "nor does a folder matter"
    assert (tmp_path / "a" / "trace.jsonl.zst").exists() and not (tmp_path / "b" / "trace.jsonl.zst").exists()
    assert len(list((tmp_path / "c" / "journals").iterdir())) == 2 * 5 + 2, "one more pair for the restart"
    documents = [json.loads((tmp_path / each / "metrics.json").read_text("utf-8")) for each in "abc"]
    for document in documents:
        for key in ("speed", "command"):
            del document[key]
    assert documents[0] == documents[1] == documents[2], "but for speed, every figure is the same"


def test_nodes_that_share_execution_and_nodes_that_do_not_agree(file: Path) -> None:
    alone = passed(scenario(str(file), share_execution=False)).document
    assert judged(alone) == judged(passed(scenario(str(file))).document)


def test_another_seed_is_another_history(file: Path) -> None:
    one, other = (run(scenario(str(file), seed=seed)).document for seed in (1, 2))
    assert one["verdict"] == other["verdict"] == "pass"
    assert one["trace_hash"] != other["trace_hash"]
    assert one["chain_id"] != other["chain_id"], "the keys are of the seed too"


@pytest.mark.parametrize("nodes", [1, 4])
def test_modeled_and_real_signatures_both_pass(nodes: int) -> None:
    real = passed(scenario(nodes=nodes, duration="40s", profile="constant", crypto="real")).document
    modeled = passed(scenario(nodes=nodes, duration="40s", profile="constant", crypto="modeled")).document
    assert real["blocks"] == modeled["blocks"]
    assert real["trace_hash"] != modeled["trace_hash"], "keys and signatures are in the trace"
    assert real["finality_ms"]["p50"] == pytest.approx(modeled["finality_ms"]["p50"], rel=0.02), "at the same cost"


def test_progress_and_its_slices_leave_no_mark(file: Path) -> None:
    ticks: list[int] = []
    shown = run(scenario(str(file)), progress=lambda tick: ticks.append(tick.at_ms))
    assert ticks == sorted(set(ticks)) and ticks[-1] == 100_000
    assert judged(shown.document) == judged(run(scenario(str(file))).document)


def loaded(monkeypatch: pytest.MonkeyPatch, **values: Any) -> tuple[Run, list[tuple[int, bytes]], dict[bytes, int]]:
    """Run four nodes; returns what the clients signed and when, and which node was handed which session."""
    signed: list[tuple[int, bytes]] = []
    handed: dict[bytes, int] = {}
    anchor = Workload._anchor

    def noted(self: Workload) -> Any:
        made = anchor(self)
        signed.append((self.world.clock.now_us, made.session))
        return made

    def listen(world: World) -> None:
        def start(_: object) -> None:
            for node in world.nodes:
                if node.engine is not None:
                    handle = node.engine.handle

                    def heard(now: int, event: Any, index: int = node.index, handle: Any = handle) -> Any:
                        if isinstance(event, Submitted):
                            handed[event.payload.session] = index  # type: ignore[union-attr]
                        return handle(now, event)

                    node.engine.handle = heard

        world.clock.after(1, start)

    with monkeypatch.context() as patch:
        patch.setattr(Workload, "_anchor", noted)
        done = passed(scenario(nodes=4, duration="80s", **values), listen)
    return done, signed, handed


def test_a_fault_shifts_nothing_of_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    _, calm_signed, calm_handed = loaded(monkeypatch)
    fault = [{"kind": "crash", "node": 2, "at": "20s", "until": "60s"}]
    crashed, signed, handed = loaded(monkeypatch, fault=fault)
    assert signed == calm_signed, "the same sessions at the same moments"
    assert len(handed) < len(calm_handed) == len(calm_signed)
    assert {session: calm_handed[session] for session in handed} == handed, "at the same nodes, but for the crashed one"
    assert {calm_handed[session] for session in set(calm_handed) - set(handed)} == {2}
    assert crashed.document["sessions"]["submitted"] < 80
