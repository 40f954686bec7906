"""`lucid keys`, `genesis`, `verify`, `node` and `devnet` as their users type them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.notary import Notary
from lucid.chain.document import parse_genesis, print_genesis
from lucid.chain.receipts import print_receipt
from lucid.cli.devnet import _table
from lucid.cli.main import main
from lucid.services.devnet import NodeStatus
from lucid.services.process.ports import free_ports
from tests.waiting import wait_until

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture) -> str:
    """What standard output got."""
    return capsys.readouterr().out.strip()


def failed(capsys: Capture, *arguments: str) -> str:
    """The one sentence of a command that cannot do what it was asked."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out and printed.err.count("\n") == 1 and printed.err.startswith("lucid: ")
    return printed.err


def test_a_key_is_made_once_and_shown(tmp_path: Path, capsys: Capture) -> None:
    path = str(tmp_path / "node.key")
    assert main(["keys", "new", path]) == 0
    node = said(capsys)
    assert main(["keys", "show", path, "--json"]) == 0
    assert json.loads(said(capsys)) == {"key": path, "node": node}
    assert "exists already" in failed(capsys, "keys", "new", path)
    assert "No such file" in failed(capsys, "keys", "show", str(tmp_path / "none"))


def test_a_file_that_is_not_there_is_named_first(tmp_path: Path, capsys: Capture) -> None:
    """The file, then what is wrong with it, no errno."""
    path = str(tmp_path / "none.toml")
    assert failed(capsys, "genesis", "show", path) == f"lucid: {path}: No such file or directory\n"
    assert failed(capsys, "genesis", "show", str(tmp_path)) == f"lucid: {tmp_path}: Is a directory\n"


def test_a_genesis_is_made_once_and_shown(tmp_path: Path, capsys: Capture) -> None:
    path, node, administrator = str(tmp_path / "genesis.toml"), "ab" * 32, "cd" * 32
    options = ["--node", f"pi=1={node}", "--administrator", administrator, "--block-interval", "1s", "--in", "1m"]
    assert main(["genesis", "new", path, *options]) == 0
    chain = said(capsys)
    assert main(["genesis", "show", path, "--json"]) == 0
    assert json.loads(said(capsys)) == {"genesis": path, "chain": chain}
    genesis = parse_genesis(Path(path).read_text())
    assert (genesis.nodes[0].name, genesis.nodes[0].key.hex(), genesis.threshold) == ("pi=1", node, 1)
    assert genesis.parameters.block_interval_ms == 1_000 and genesis.genesis_time_ms > time.time() * 1000
    assert "exists already" in failed(capsys, "genesis", "new", path, "--node", f"a={node}")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "nodes must name"),
        (("--node", "ab" * 32), "NAME=ID"),
        (("--node", "a=zz"), "hexadecimal"),
        (("--node", "a=" + "ab" * 32, "--block-interval", "10x"), "is not a duration"),
        (("--node", "a=" + "ab" * 32, "--block-interval", "1ms"), "block_interval_ms"),
        (("--node", "a=" + "ab" * 32, "--threshold", "1"), "threshold"),
    ],
)
def test_a_wrong_genesis_is_named(tmp_path: Path, capsys: Capture, arguments: tuple[str, ...], named: str) -> None:
    assert named in failed(capsys, "genesis", "new", str(tmp_path / "genesis.toml"), *arguments)
    assert not (tmp_path / "genesis.toml").exists()


def test_what_is_no_receipt_does_not_hold(tmp_path: Path, capsys: Capture) -> None:
    genesis, receipt = tmp_path / "genesis.toml", tmp_path / "receipt.json"
    assert main(["genesis", "new", str(genesis), "--node", "a=" + "ab" * 32]) == 0
    said(capsys)
    receipt.write_text("{}")
    assert main(["verify", str(receipt), "--genesis", str(genesis)]) == 20
    assert "does not hold" in said(capsys)
    assert main(["verify", str(receipt), "--genesis", str(genesis), "--json"]) == 20
    assert json.loads(said(capsys))["valid"] is False
    assert "--checkpoint" in failed(capsys, "verify", str(receipt), "--genesis", str(genesis), "--checkpoint", "x")
    assert "none" in failed(capsys, "verify", str(tmp_path / "none"), "--genesis", str(genesis))


def test_a_node_runs_in_one_process_makes_blocks_and_stops_at_sigterm(tmp_path: Path, capsys: Capture) -> None:
    assert main(["keys", "new", str(tmp_path / "node.key")]) == 0
    node = said(capsys)
    arguments = ["genesis", "new", str(tmp_path / "genesis.toml"), "--node", f"pi={node}", "--block-interval", "1s"]
    assert main(arguments) == 0
    names = ("manager", "engine", "data", "anchoring")
    urls = dict(zip(names, (f"http://127.0.0.1:{port}" for port in free_ports(4)), strict=True))
    lines = [f'{name}_url = "{url}"' for name, url in urls.items()]
    (tmp_path / "node.toml").write_text("\n".join([*lines, 'token = "x"']))
    command = [sys.executable, "-m", "lucid.cli.main", "node", "--config", "node.toml"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            with httpx.Client(timeout=30.0) as client:
                heights = [0]
                deadline = time.monotonic() + 120
                while heights[-1] < 3:
                    assert process.poll() is None and time.monotonic() < deadline
                    time.sleep(0.1)
                    heights.append(height(client, urls["manager"]))
                states = [client.get(f"{url}/health").json()["status"] for url in urls.values()]
                assert states == ["healthy"] * 4
        finally:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in errors


def height(client: httpx.Client, url: str) -> int:
    """The manager's last final height, 0 while it does not answer."""
    try:
        found: dict[str, Any] = client.get(f"{url}/blocks?limit=1").json()
    except httpx.HTTPError:
        return 0
    return int(found["blocks"][0]["height"]) if found["blocks"] else 0


@pytest.mark.parametrize("service", ["manager", "engine", "data"])
def test_a_service_that_can_not_start_says_why_in_one_sentence(tmp_path: Path, service: str) -> None:
    command = [sys.executable, "-m", f"lucid.services.{service}"]
    environment = {"LUCID_PORT": "x", "LUCID_NOTHING": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "port" in done.stderr and "nothing" in done.stderr
    environment = {"LUCID_TOKEN": "x"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "genesis.toml" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["lucid.cli.main", "node"], ["lucid.services.manager"]])
def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: Capture, words: list[str]) -> None:
    assert main(["keys", "new", str(tmp_path / "node.key")]) == 0
    assert main(["genesis", "new", str(tmp_path / "genesis.toml"), "--node", f"pi={said(capsys)}"]) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "node.toml").write_text(f'manager_url = "http://127.0.0.1:{port}"\ntoken = "x"\n')
        environment = {**os.environ, **({"LUCID_PORT": str(port)} if len(words) == 1 else {})}
        command = [sys.executable, "-m", *words, "--config", "node.toml"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"127.0.0.1:{port}: Address already in use" in done.stderr.splitlines()[-1]


def test_a_devnet_agrees_and_stops_by_itself(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "net"
    options = ["--nodes", "2", "--block-interval", "1s", "--duration", "4s", "--dir", str(folder), "--json"]
    assert main(["devnet", *options]) == 0
    nodes = json.loads(said(capsys))
    assert [node["name"] for node in nodes] == ["node0", "node1"]
    assert all(node["height"] >= 2 and node["peers"] == 1 for node in nodes)
    before = nodes[0]["height"]
    assert main(["devnet", "--duration", "3s", "--dir", str(folder), "--json"]) == 0, "what was kept goes on"
    assert [node["height"] > before for node in json.loads(said(capsys))] == [True, True]
    for option in (("--nodes", "3"), ("--block-interval", "2s"), ("--store", "mongo"), ("--journal",)):
        assert f"leave out {option[0]}" in failed(capsys, "devnet", "--dir", str(folder), *option)
    (folder / "node1" / "node.toml").write_text("bind = 3\n")
    assert "cannot be started again" in failed(capsys, "devnet", "--dir", str(folder))
    (folder / "genesis.toml").unlink()
    assert "is not empty" in failed(capsys, "devnet", "--dir", str(folder))
    assert "--nodes" in failed(capsys, "devnet", "--nodes", "0")


def test_what_is_read_is_bounded_and_binary_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    genesis, receipt, noise = tmp_path / "genesis.toml", tmp_path / "receipt.json", tmp_path / "noise"
    assert main(["genesis", "new", str(genesis), "--node", f"a={'ab' * 32}"]) == 0
    net = Notary()
    receipt.write_bytes(print_receipt(net.receipt(), net.genesis))
    (tmp_path / "net.toml").write_text(print_genesis(net.genesis))
    noise.write_bytes(bytes(range(256)) * 9)
    said(capsys)
    for arguments in (
        (str(receipt), "--genesis", str(tmp_path / "net.toml"), "--chunk", "/dev/zero"),
        (str(receipt), "--genesis", "/dev/zero"),
        (str(receipt), "--genesis", str(noise)),
        ("/dev/zero", "--genesis", str(genesis)),
    ):
        failed(capsys, "verify", *arguments)
    failed(capsys, "genesis", "show", str(noise))
    failed(capsys, "genesis", "show", "/dev/zero")
    assert main(["verify", str(noise), "--genesis", str(genesis)]) == 20
    assert said(capsys).isprintable()
    assert main(["verify", str(receipt), "--genesis", str(tmp_path / "net.toml"), "--chunk", str(noise)]) == 20
    assert "6024" in said(capsys)


def test_a_duration_needs_its_unit(capsys: Capture) -> None:
    assert "needs a unit: 7s" in failed(capsys, "devnet", "--block-interval", "7")
    assert "needs a unit" in failed(capsys, "genesis", "new", "x", "--node", f"a={'ab' * 32}", "--block-interval", "10")


@pytest.fixture
def devnet_process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`lucid devnet` of one node that has said where it is, and its folder."""
    folder = tmp_path / "net"
    command = [sys.executable, "-m", "lucid.cli.main", "devnet", "--nodes", "1", "--block-interval", "1s"]
    with subprocess.Popen([*command, "--dir", str(folder), "--json"], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(3)]
            assert "/explorer" in said[1] and str(folder / "node0" / "token") in said[1], said
            assert "/docs" in said[2], said
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
    time.sleep(3)  # a block
    process.send_signal(how)
    status = process.wait(60)
    assert status == (-how if how == signal.SIGKILL else 0), process.communicate()[1]
    wait_until(lambda: not services_of(folder), "no service is left")


def test_a_devnet_says_that_a_service_has_ended(devnet_process: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = devnet_process
    for pid in services_of(folder):
        if b"lucid.services.engine" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    time.sleep(5)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 21 and "node0's engine has ended with status -9" in said


def test_the_table_of_a_devnet_has_each_figure_in_its_column() -> None:
    standing = NodeStatus(
        "node0", dict.fromkeys(("manager", "engine", "anchoring", "data"), "healthy"), 7, "ab" * 32, 3
    )
    columns = {str(column.header): list(column.cells) for column in _table([standing]).columns}
    assert (columns["peers"], columns["height"], columns["last block"]) == (["3"], ["7"], [("ab" * 32)[:24]])


SERVICES_NEED = [
    "h11",
    "hiredis",
    "httpx",
    "hypercorn",
    "prometheus_client",
    "pymongo",
    "quart",
    "quart_trio",
    "trio",
    "wsproto",
]


@pytest.mark.parametrize("module", SERVICES_NEED)
def test_a_node_without_its_extra_is_one_sentence(tmp_path: Path, module: str) -> None:
    script = f"import sys; sys.modules[{module!r}] = None; from lucid.cli.main import main; sys.exit(main(['node']))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2, ran.stderr
    # A library that is optional elsewhere may not be missed by the command; then it is the settings that are.
    assert len(ran.stderr.splitlines()) == 1 and "Traceback" not in ran.stderr, ran.stderr
