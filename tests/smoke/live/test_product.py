"""How long a start may take, and what a product of a plain manifest says is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.live.checks import API, HEALTH, LIFECYCLE
from smoke.live.plain import PlainProduct
from smoke.live.processes import ProcessNode
from smoke.live.product import EMULATED, Run
from smoke.manifest import read_manifest
from tests.smoke.live.shop import write_shop


@pytest.fixture
def run(tmp_path: Path) -> Run:
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


def test_steps_name_their_checks_in_their_order(run: Run, tmp_path: Path) -> None:
    """Health goes first: what comes after it only says something of services that are well."""
    assert [check for check, _ in run.product.steps(run)] == [HEALTH, API, LIFECYCLE]
    assert run.product.further(run, lambda *_, **__: run.node, tmp_path) == ()
