"""What a product of a plain manifest says is tried."""

from __future__ import annotations

from pathlib import Path

from smoke.live.checks import API, HEALTH, LIFECYCLE
from smoke.live.plain import PlainProduct
from smoke.live.processes import ProcessNode
from smoke.live.underway import Run
from smoke.manifestfile import read_manifest
from tests.smoke.live.shop import write_shop


def test_steps_name_their_checks_in_their_order(tmp_path: Path) -> None:
    """Health goes first: what comes after it only says something of services that are well."""
    root = write_shop(tmp_path)
    product = PlainProduct(read_manifest(root / "smoke.toml"), root)
    run = Run(ProcessNode(tmp_path, product), product)
    assert [check for check, _ in product.steps(run)] == [HEALTH, API, LIFECYCLE]
    assert product.further(run, lambda *_, **__: run.node, tmp_path) == ()
