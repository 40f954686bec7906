"""Three real nodes under rules 7: what their operators declare counts as soon as they prove what they hold."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from lucid.chain.parameters import paced
from lucid.chain.versions import CAPACITY_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from tests.e2e.conftest import MakeFleet

PATIENCE_S = 400


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """An epoch of 24 views; every node has room for four tickets."""
    return make_fleet(
        CAPACITY_RULES, structs.replace(paced(1_000), slot_duration_ms=6_000, epoch_slots=4), "capacity_tickets = 4"
    )


def test_what_nodes_declare_counts_once_they_prove_what_they_hold(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, file = tmp_path / "owner.key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 1_000)
    assert main(["keys", "new", str(owner)]) == 0
    configs = [["--config", str(node.folder / "node.toml")] for node in fleet.nodes]
    anchor = ["anchor", str(file), "--owner", str(owner), *configs[0], "--json", "--chunk-size", "64KiB"]
    assert main([*anchor, "--wait", "replicated", "--wait", "5m", "--receipt", str(tmp_path / "receipt.json")]) == 0

    def copies(config: list[str]) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["data", "status", "--json", *config]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["replication"]
        return found

    deadline = time.monotonic() + PATIENCE_S
    while any(copies(config)["weight"] < 2 for config in configs):
        assert time.monotonic() < deadline, [copies(config) for config in configs]
        time.sleep(2)
    assert [copies(config)["tickets"] for config in configs] == [4, 4, 4]
    assert main(["data", "status", *configs[0]]) == 0
    assert "it declares 4 tickets" in capsys.readouterr().out
