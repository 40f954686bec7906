"""`lucid sim calibrate`: the table of what was measured, its exit status, and wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from harness.calibration import calibrate as module
from harness.calibration.calibrate import Calibration
from harness.calibration.comparison import compare
from harness.calibration.meter import MeterError
from lucid.cli.calibrate import table
from sim.samples import spread
from tests.cli.command import assert_refused, lucid
from tests.harness.test_calibration import figures

REAL = figures(200)
MISSED = Calibration(
    scenario="default",
    nodes=4,
    profile="regions",
    block_interval_ms=2_000,
    anchor_every_ms=1_000,
    seconds=120.0,
    costs={"write": spread([900] * 200)},
    machine="x86_64",
    cores=2,
    load=(0.5, 3.0),
    lucid="0",
    commit="c",
    python="P",
    real=REAL,
    simulated=[figures(150)],
    lines=compare(REAL, [figures(150)]),
)
HELD = structs.replace(MISSED, load=(0.5, 1.0), lines=compare(REAL, [REAL]))


def finds(patch: pytest.MonkeyPatch, found: Calibration | BaseException) -> None:
    """Have a calibration come to this, without any nodes."""

    def calibrate(*_: object) -> Calibration:
        if isinstance(found, BaseException):
            raise found
        return found

    patch.setattr(module, "calibrate", calibrate)


def test_the_table_says_how_loaded_the_machine_was_and_what_was_missed() -> None:
    words = table(MISSED)
    assert "2 cores, loaded (load 0.5 before, 3 after)" in words and not MISSED.holds
    assert "| finality p50 | 200.0 ms | 150.0 ms | 150.0 to 150.0 ms | -25.0% | 10% | missed |" in words
    assert "| write | 200 | 0.9 ms | 0.9 ms | 0.9 ms |" in words
    assert "not loaded" in table(HELD) and HELD.holds


@pytest.mark.parametrize(("found", "status"), [(HELD, 0), (MISSED, 10)])
def test_the_table_is_printed_and_the_status_says_whether_it_holds(
    found: Calibration, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finds(monkeypatch, found)
    assert lucid("sim", "calibrate", "--json", tmp_path / "found.json") == (status, table(found), "")
    document = json.loads((tmp_path / "found.json").read_text())
    assert (document["nodes"], document["real"]["blocks"], len(document["lines"])) == (4, 50, len(found.lines))


def test_what_took_minutes_is_told_though_its_file_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finds(monkeypatch, HELD)
    done = lucid("sim", "calibrate", "--json", tmp_path)
    assert done == (2, table(HELD), f"lucid: {tmp_path}: Is a directory\n")


def test_too_little_to_measure_and_ctrl_c_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    finds(monkeypatch, MeterError("3 blocks are too few to measure"))
    assert_refused(lucid("sim", "calibrate"), "3 blocks are too few to measure")
    finds(monkeypatch, KeyboardInterrupt())
    assert_refused(lucid("sim", "calibrate"), "interrupted", status=130)


@pytest.mark.parametrize(
    "words",
    [
        ["--nodes", "1"],
        ["--nodes", "17"],
        ["--minutes", "0"],
        ["--minutes", "nan"],
        ["--set", "transport=datagram"],
        ["--set", "speed"],
        ["nowhere"],
    ],
)
def test_bad_usage_is_one_sentence(words: list[str]) -> None:
    assert_refused(lucid("sim", "calibrate", *words))
