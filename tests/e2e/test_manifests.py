"""Three real nodes: a session is fetched from those that hold its chunks, without a receipt, once its taker is gone."""

from __future__ import annotations

import json
import shutil
import signal
from functools import partial
from pathlib import Path

import httpx
import pytest

from lucid.chain.versions import PROOF_RULES
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from tests.e2e.conftest import MakeFleet
from tests.waiting import wait_until


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """Rules under which nodes know which sessions there are."""
    return make_fleet(PROOF_RULES)


def has_manifest(node: DevNode, session: str) -> bool:
    """Whether a node's session anchoring has a session's manifest."""
    return httpx.get(f"{node.url('anchoring')}/sessions/{session}/manifest", timeout=30).status_code == 200


def test_a_session_outlives_the_node_that_took_it(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taker, *others = fleet.nodes
    owner, talk, receipt = tmp_path / "owner.key", tmp_path / "talk", tmp_path / "receipt.json"
    talk.write_bytes(bytes(range(256)) * 2_000)
    assert main(["keys", "new", str(owner)]) == 0
    capsys.readouterr()
    command = ["anchor", str(talk), "--owner", str(owner), "--config", str(taker.folder / "node.toml")]
    told = [
        *command,
        "--chunk-size",
        "64KiB",
        "--wait",
        "replicated",
        "--wait",
        "8m",
        "--receipt",
        str(receipt),
        "--json",
    ]
    assert main(told) == 0
    session = json.loads(capsys.readouterr().out)["session"]
    for node in others:
        wait_until(partial(has_manifest, node, session), "it has the manifest")
    for service in SERVICES:
        taker.processes[service].send_signal(signal.SIGKILL)
        taker.processes[service].wait()
    shutil.rmtree(taker.folder)
    receipt.unlink()
    for node in others:
        back = tmp_path / node.name
        fetch = ["fetch", session, "--owner", str(owner), "--output", str(back)]
        assert main([*fetch, "--config", str(node.folder / "node.toml")]) == 0
        assert (back / "talk").read_bytes() == talk.read_bytes()
