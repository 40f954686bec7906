"""`lucid node` and its services as processes: they make blocks, stop, and say in one sentence why they cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from lucid.cli.main import main
from lucid.services.process.ports import free_ports
from tests.cli.command import Capture, said


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
