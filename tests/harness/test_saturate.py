"""Saturation: the load doubles up to what a network does not keep up with, and the knee is between."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from harness.saturate import Load, knee, loads
from harness.verdict import RunVerdict
from lucid.cli.main import main

FEW = ["--nodes", "1", "--duration", "2m", "--set", "max_block_transactions=20"]
"""A lone node whose blocks, one in ten seconds, have room for twenty: two anchors a second."""


def test_the_knee_is_where_blocks_are_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "saturate", *FEW, "--out", str(tmp_path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert 0.9 < printed["kept_up_per_s"] < 2.3
    rows = printed["loads"]
    assert [row["offered_per_s"] for row in rows] == sorted(row["offered_per_s"] for row in rows)
    assert rows[0]["kept_up"] and not rows[-1]["kept_up"] and rows[-1]["waiting"] > rows[0]["waiting"]
    with (tmp_path / "saturate.csv").open() as file:
        assert [row["every_ms"] for row in csv.DictReader(file)] == [str(row["every_ms"]) for row in rows]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Session latency over throughput" in page and "did not keep up" in page


def a_load(every_ms: int, kept_up: bool) -> Load:
    return Load(
        every_ms=every_ms,
        offered_per_s=1_000 / every_ms,
        final_per_s=1,
        latency_p50_ms=None,
        latency_p99_ms=None,
        waiting=0,
        refused=0,
        verdict=RunVerdict.PASS,
        kept_up=kept_up,
    )


@pytest.mark.parametrize(("limit_ms", "tried"), [(300, [1000, 500, 250, 375, 312, 281]), (2_000, [1000]), (0, None)])
def test_loads_double_and_then_close_in(
    limit_ms: int, tried: list[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.saturate.measured", lambda base, every_ms: a_load(every_ms, every_ms >= limit_ms))
    found = list(loads(None, 1_000))  # type: ignore[arg-type]
    if tried is not None:
        assert [each.every_ms for each in found] == tried
        top = knee(found)
        assert (top is None) == (limit_ms > 1_000) and (top is None or top.every_ms == 312)
    else:
        assert found[-1].every_ms == 1 and all(each.kept_up for each in found), "it ends at the largest load there is"
