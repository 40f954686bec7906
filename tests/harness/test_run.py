"""A run's folder: complete, re-runnable, self-contained, and no more than was asked for."""

from __future__ import annotations

import io
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness.run import EXIT_STATUS, run
from lucid.cli.main import main
from sim.scenariofile import load, parse
from tests.interrupting import interrupt
from tests.runs import scenario

FAULTS = [{"kind": "crash", "node": 1, "at": "20s", "until": "40s"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    path = tmp_path_factory.mktemp("runs") / "one"
    run(scenario("crash-restart", duration="70s", seed=5, fault=FAULTS), path, journals=True)
    return path


def document_of(folder: Path) -> dict[str, Any]:
    """The metrics of a run's folder."""
    document: dict[str, Any] = json.loads((folder / "metrics.json").read_text("utf-8"))
    return document


def test_the_folder_holds_what_it_should_and_nothing_else(folder: Path) -> None:
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    journals = {f"journals/n{node:02}-{kind}-0.journal" for node in range(4) for kind in ("engine", "manager")}
    journals |= {f"journals/n01-{kind}-1.journal" for kind in ("engine", "manager")}
    pages = {"report.html", "timeline.html"}
    assert files == {"scenario.toml", "metrics.json", "trace.jsonl.zst"} | pages | journals


def test_its_scenario_runs_again_to_the_same_trace(folder: Path, tmp_path: Path) -> None:
    again = load(str(folder))
    assert again == parse((folder / "scenario.toml").read_text("utf-8"), "again")
    run(again, tmp_path / "again", trace_file=False)
    one, other = document_of(folder), document_of(tmp_path / "again")
    for key in ("verdict", "trace_hash", "state_root", "series", "blocks"):
        assert one[key] == other[key], key
    assert not (tmp_path / "again" / "trace.jsonl.zst").exists()
    assert not (tmp_path / "again" / "journals").exists()


def test_its_metrics_say_everything(folder: Path) -> None:
    document = document_of(folder)
    assert document["verdict"] == "pass" and document["reason"] == ""
    assert (document["scenario"], document["seed"], document["nodes"]) == ("crash-restart", 5, 4)
    assert re.fullmatch("[0-9a-f]{64}", document["trace_hash"]) and re.fullmatch("[0-9a-f]{64}", document["state_root"])
    assert document["command"] == f"lucid sim run {folder}"
    assert [each["what"] for each in document["faults"]] == ["n01"]
    assert {"finality_ms", "interval_ms", "propagation_ms", "missed_views", "leaders", "traffic"} <= set(document)


def test_its_trace_is_lines_of_json_in_order_of_time(folder: Path) -> None:
    path = folder / "trace.jsonl.zst"
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        lines = [json.loads(line) for line in io.TextIOWrapper(stream, "utf-8")]
    at_us = [line["at_us"] for line in lines]
    assert at_us == sorted(at_us) and at_us[-1] <= 70_000_000
    document = document_of(folder)
    assert sum("deliver" in line for line in lines) == document["speed"]["delivered"]
    final = {line["height"] for line in lines if line.get("fact") == "BlockFinal"}
    assert final == set(range(1, document["blocks"]["height"] + 1))
    assert [line["fault"] for line in lines if "fault" in line] == [
        "crash begins: n01",
        "crash ends: n01",
    ]


def test_its_report_needs_nothing_from_elsewhere(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    without_namespaces = page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert not re.search(r"https?://|src=[\"'](?!data:)|@import|url\((?![\"']?(?:data:|#))", without_namespaces)
    document = document_of(folder)
    assert document["trace_hash"] in page and document["scenario"] in page


# -- exit statuses -----------------------------------------------------------------------------------------------


def test_the_statuses_are_those_promised() -> None:
    assert EXIT_STATUS == {"pass": 0, "no_progress": 10, "diverged": 20, "interrupted": 130}


def test_pass_no_progress_and_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    halved = tmp_path / "halved.toml"
    halved.write_text('nodes = 2\nduration = "40s"\n[[fault]]\nkind = "crash"\nnode = 0\nat = "5s"\n', "utf-8")
    assert main(["sim", "run", "one-node", "--duration", "20s", "--out", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().err == ""
    assert main(["sim", "run", str(halved), "--out", str(tmp_path / "b")]) == 10
    assert re.fullmatch(
        r"lucid: no new final block for the last 40.0 s: 1 of 2 .* down, quorum is 2\n", capsys.readouterr().err
    )
    assert document_of(tmp_path / "b")["verdict"] == "no_progress"
    assert main(["sim", "run", "no-such-thing"]) == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_a_partial_report_that_says_so(tmp_path: Path, how: signal.Signals) -> None:
    words = ["sim", "run", "one-node", "--duration", "300d", "--no-trace", "--out", "out"]
    begun = tmp_path / "out" / "scenario.toml"
    status, printed, said = interrupt(words, how, lambda pid: begun.exists(), tmp_path)
    assert status == 130, said
    assert (
        re.search(r"lucid: interrupted at [\d,.]+ of 25,920,000\.0 simulated seconds", said) and "Traceback" not in said
    )
    assert "interrupted" in printed
    document = document_of(tmp_path / "out")
    assert document["verdict"] == "interrupted" and document["duration_ms"] < 300 * 86_400_000
    assert "INTERRUPTED" in (tmp_path / "out" / "report.html").read_text("utf-8")
