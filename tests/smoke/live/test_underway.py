"""A run of the live checks: how long a start may take, and what is known before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.live.plain import PlainProduct
from smoke.live.processes import ProcessNode
from smoke.live.underway import EMULATED, Run
from smoke.manifestfile import read_manifest
from tests.smoke.live.shop import write_shop


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that has not begun."""
    root = write_shop(tmp_path)
    product = PlainProduct(read_manifest(root / "smoke.toml"), root)
    return Run(ProcessNode(tmp_path, product), product)


def test_a_start_may_take_longer_where_the_processor_is_emulated(run: Run) -> None:
    assert run.start_s == 60
    run.node.emulated = True
    assert run.start_s == 60 * EMULATED > 60


def test_nothing_is_known_of_a_run_before_its_first_step(run: Run) -> None:
    """What depends on a service that never was healthy is skipped by this."""
    assert not run.started and run.healthy_at == 0.0
