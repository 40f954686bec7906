"""`lucid bench data` measures what it says, on a store of few chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench import proofcost
from harness.bench.data import bench_data


def test_it_measures_a_small_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(proofcost, "SESSIONS", 2)
    said: list[str] = []
    rows = bench_data(["challenge", "million", "proofs"], said.append, many=500)
    assert [row.part for row in rows] == ["challenge"] * 4 + ["proofs"] * 4 + ["million"] * 5
    assert next(row.value for row in rows if row.what.startswith("proofs that")) == 2 * proofcost.NODES
    assert all(row.value > 0 for row in rows)
    assert not list(tmp_path.iterdir()), "it leaves nothing behind"
