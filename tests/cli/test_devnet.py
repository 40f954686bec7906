"""`lucid devnet`: a network of processes that agrees, stops as a whole, and is told as a table."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lucid.cli.devnet import _table
from lucid.cli.main import main
from lucid.services.devnode import NodeStatus
from tests.cli.command import Capture, failed, said
from tests.waiting import wait_until


def test_a_devnet_agrees_and_stops_by_itself(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "net"
    options = ["--nodes", "2", "--block-interval", "1s", "--duration", "8s", "--dir", str(folder), "--json"]
    assert main(["devnet", *options]) == 0
    nodes = json.loads(said(capsys))
    assert [node["name"] for node in nodes] == ["node0", "node1"]
    assert all(node["height"] >= 2 and node["peers"] == 1 for node in nodes)
    before = nodes[0]["height"]
    assert main(["devnet", "--duration", "6s", "--dir", str(folder), "--json"]) == 0, "what was kept goes on"
    assert [node["height"] > before for node in json.loads(said(capsys))] == [True, True]
    for option in (("--nodes", "3"), ("--block-interval", "2s"), ("--store", "mongo"), ("--journal",)):
        assert f"leave out {option[0]}" in failed(capsys, "devnet", "--dir", str(folder), *option)
    (folder / "node1" / "node.toml").write_text("bind = 3\n")
    assert "cannot be started again" in failed(capsys, "devnet", "--dir", str(folder))
    (folder / "genesis.toml").unlink()
    assert "is not empty" in failed(capsys, "devnet", "--dir", str(folder))
    assert "--nodes" in failed(capsys, "devnet", "--nodes", "0")


def test_a_duration_needs_its_unit(capsys: Capture) -> None:
    assert "needs a unit: 7s" in failed(capsys, "devnet", "--block-interval", "7")
    assert "needs a unit" in failed(capsys, "genesis", "new", "x", "--node", f"a={'ab' * 32}", "--block-interval", "10")


@pytest.fixture
def devnet_process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`lucid devnet` of one node that has said where it is and made a block, and its folder."""
    folder = tmp_path / "net"
    command = [sys.executable, "-m", "lucid.cli.main", "devnet", "--nodes", "1", "--block-interval", "1s"]
    with subprocess.Popen([*command, "--dir", str(folder), "--json"], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(3)]
            assert "/explorer" in said[1] and str(folder / "node0" / "token") in said[1], said
            assert "/docs" in said[2], said
            found = re.search(r"(http://\S+)/explorer", said[1])
            assert found is not None
            wait_until(lambda: httpx.get(f"{found[1]}/chain", timeout=30).json()["height"] >= 1, "no block came")
            yield process, folder
        finally:
            process.kill()


def services_of(folder: Path) -> list[int]:
    """The processes of a devnet's services."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"lucid.services." in said and str(folder).encode() in said:
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_devnet_leaves_no_orphans(devnet_process: tuple[subprocess.Popen[str], Path], how: signal.Signals) -> None:
    process, folder = devnet_process
    assert len(services_of(folder)) == 4
    assert (folder / "node0" / "token").stat().st_mode & 0o777 == 0o600
    process.send_signal(how)
    status = process.wait(60)
    assert status == (-how if how == signal.SIGKILL else 0), process.communicate()[1]
    wait_until(lambda: not services_of(folder), "no service is left")


def test_a_devnet_says_that_a_service_has_ended(devnet_process: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = devnet_process
    for pid in services_of(folder):
        if b"lucid.services.engine" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 21 and "node0's engine has ended with status -9" in said


def test_the_table_of_a_devnet_has_each_figure_in_its_column() -> None:
    standing = NodeStatus(
        "node0", dict.fromkeys(("manager", "engine", "anchoring", "data"), "healthy"), 7, "ab" * 32, 3
    )
    columns = {str(column.header): list(column.cells) for column in _table([standing]).columns}
    assert (columns["peers"], columns["height"], columns["last block"]) == (["3"], ["7"], [("ab" * 32)[:24]])
