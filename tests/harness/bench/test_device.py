"""A device's own figures: that they are there, ordered, and in the form that the simulator's profiles have."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bench import device
from harness.bench.device import bench_device, durable_us, measured_cpu, quantiles
from sim.disktime import quantile_table


def test_every_operation_and_write_is_measured(tmp_path: Path) -> None:
    said: list[str] = []
    rows = bench_device(said.append, tmp_path, rounds=5, writes=20)
    assert [row.part for row in rows] == ["core"] * 4 + ["disk"] * 5
    assert all(row.value > 0 and row.kept is None for row in rows)
    assert "pi4 124" in rows[0].bound, "beside what is assumed"
    assert said[-2].startswith("for CPUS: Cpu(") and said[-1].startswith("for DISKS: quantiles [(0, ")
    assert not list(tmp_path.iterdir())


def test_a_core_is_measured_as_the_profiles_have_it() -> None:
    cpu = measured_cpu(5)
    assert min(cpu[:4]) >= 1 and cpu.about.endswith("measured by lucid bench pi")


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=50))
def test_quantiles_make_a_profile(samples: list[int]) -> None:
    table = quantile_table(quantiles(samples))
    assert len(table) == 1_024 and table == sorted(table)
    assert (table[0], table[-1]) == (min(samples), max(samples))


def test_writes_are_as_many_as_asked(tmp_path: Path) -> None:
    assert len(durable_us(tmp_path / "probe", 7)) == 7
    assert (tmp_path / "probe").stat().st_size == 7 * 4096


def test_the_board_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "MODEL", tmp_path / "model")
    assert device.model()
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert device.model() == "Raspberry Pi 5 Model B Rev 1.0"
