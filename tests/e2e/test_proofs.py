"""Three real nodes under rules 4: what they hold of a session they prove in the next epoch, and are credited for."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from lucid.chain.parameters import paced
from lucid.chain.versions import PROOF_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from tests.e2e.conftest import MakeFleet

PATIENCE_S = 400


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """An epoch of 48 views."""
    return make_fleet(PROOF_RULES, structs.replace(paced(1_000), slot_duration_ms=6_000, epoch_slots=8))


def test_all_nodes_prove_what_they_hold_in_the_next_epoch(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, file = tmp_path / "owner.key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 1_000)
    assert main(["keys", "new", str(owner)]) == 0
    config = ["--config", str(fleet.nodes[0].folder / "node.toml")]
    anchor = ["anchor", str(file), "--owner", str(owner), *config, "--json", "--chunk-size", "64KiB"]
    assert main([*anchor, "--wait", "replicated", "--wait", "8m", "--receipt", str(tmp_path / "receipt.json")]) == 0
    capsys.readouterr()

    def credits(*arguments: str) -> str:
        assert main(["credits", *arguments, *config]) == 0
        return capsys.readouterr().out

    deadline = time.monotonic() + PATIENCE_S
    proven: dict[str, Any] = {}
    while len(proven) < 3:
        assert time.monotonic() < deadline, credits("--json")
        for each in json.loads(credits("--json"))["members"]:
            if each["storage"] is not None and each["storage"]["chunks"]:
                proven[each["node"]] = each["storage"]
        time.sleep(1)
    assert {each["chunks"] for each in proven.values()} == {4}
    assert all(each["credits"] == 8 and each["total_bytes"] > 0 for each in proven.values())
    assert "storage" in credits(fleet.nodes[0].name)
