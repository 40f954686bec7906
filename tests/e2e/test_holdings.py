"""Three real nodes under rules 3: a session is replicated once the chain says so, and `lucid anchor` waits for that."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from lucid.chain.versions import HOLDING_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from tests.e2e.conftest import MakeFleet


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """As nodes are where nobody named parameters."""
    return make_fleet(HOLDING_RULES)


def test_anchor_waits_until_all_nodes_said_on_the_chain_that_they_hold_it(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, file = tmp_path / "owner.key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 2_000)
    assert main(["keys", "new", str(owner)]) == 0
    capsys.readouterr()
    config = ["--config", str(fleet.nodes[0].folder / "node.toml")]
    anchor = ["anchor", str(file), "--owner", str(owner), *config, "--json", "--chunk-size", "64KiB"]
    waits = ["--wait", "replicated", "--wait", "8m", "--receipt", str(tmp_path / "receipt.json")]
    assert main([*anchor, *waits]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["replicated"], found["copies"]) == ("final", True, 3)
    states = [
        httpx.get(f"{node.url('anchoring')}/sessions/{found['session']}?owner={found['owner']}", timeout=60).json()
        for node in fleet.nodes
    ]
    assert [(each["copies"], each["copies_wanted"]) for each in states[:1]] == [(3, 3)]
    shown = [
        httpx.get(f"{node.url('manager')}/sessions/{found['session']}", timeout=60).json()["sessions"]
        for node in fleet.nodes
    ]
    assert all((each["copies"], each["copies_wanted"]) == (3, 3) for (each,) in shown[:1]), shown
    deadline = time.monotonic() + 120
    while main(["sessions", "list", *config, "--json"]) == 0:
        (listed,) = json.loads(capsys.readouterr().out)["sessions"]
        if listed["status"] == "replicated":
            break
        assert time.monotonic() < deadline, listed
        time.sleep(1)
