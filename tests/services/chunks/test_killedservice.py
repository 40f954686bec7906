"""The data chain's process, asked over HTTP and killed before each step of that: what was acknowledged is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.cli.main import main
from lucid.services.process.keyfile import write_key
from lucid.services.process.ports import free_ports
from tests.services.chunks.dataservice import OTHER, SESSION, place
from tests.waiting import wait_until

KEPT, NEW = (bytes([number]) * (20_000 + number) for number in range(2))
MOST_STEPS = 60
MOMENT_S = 0.2


class KilledNode:
    """A node's data chain whose process ends again and again, on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(timeout=30.0)
        key = ed25519_public_key(write_key(folder / "node.key"))
        (folder / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))

    def begin(self, last: int) -> None:
        """Start it; before that step it kills itself."""
        log, [port] = self.folder / "log", free_ports(1)
        environment = {
            **os.environ,
            "LUCID_GENESIS": str(self.folder / "genesis.toml"),
            "LUCID_KEY": str(self.folder / "node.key"),
            "LUCID_DATA_DIR": str(self.folder),
            "LUCID_TOKEN": "token",
            "LUCID_PORT": str(port),
        }
        command = [sys.executable, "-m", "tests.services.chunks.killedservice", str(last)]
        (self.folder / "begun").unlink(missing_ok=True)
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, env=environment, stderr=file, stdout=file)
        wait_until(lambda: "listens at 127.0.0.1:" in log.read_text() or self.process.poll() is not None)  # type: ignore[union-attr]
        assert self.process.poll() is None, log.read_text()
        self.client.base_url = httpx.URL(f"http://127.0.0.1:{port}")

    def count(self) -> None:
        """From now on steps are counted."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)
        wait_until((self.folder / "begun").exists)

    def asked(self, act: Callable[[], None]) -> bool:
        """Ask for something; returns whether it was acknowledged. What goes on after that has a moment to be cut."""
        try:
            act()
        except httpx.TransportError:
            assert self.process is not None
            self.process.wait(10)  # its connections end a little before it does
            return False
        time.sleep(MOMENT_S)
        return True

    def end(self) -> bool:
        """End it, if it runs; returns whether it had killed itself."""
        if self.process is None:
            return False
        killed = self.process.poll() is not None
        self.process.kill()
        status = self.process.wait()
        assert status == -signal.SIGKILL, (self.folder / "log").read_text()
        return killed

    def held(self, data: bytes) -> bool:
        """Whether a chunk is there, whole."""
        found = self.client.get(place(data).partition("?")[0])
        assert found.status_code == 404 or found.content == data
        return found.status_code == 200

    def store(self, data: bytes, session: str = SESSION) -> None:
        """Store a chunk for a session."""
        self.client.put(place(data, session), content=data).raise_for_status()

    def remove(self, session: str) -> None:
        """Take all references of a session away."""
        answer = self.client.delete(f"/sessions/{session}")
        assert answer.status_code in (200, 204, 404), answer.text

    def sessions(self) -> dict[str, int]:
        """The sessions that refer to chunks here, and to how many."""
        return {each["session"]: each["chunks"] for each in self.client.get("/sessions").json()["sessions"]}


def damage(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `lucid store check` finds before the next start, but for a file that no row knows yet, as a crash may leave
    one."""
    capsys.readouterr()
    main(["store", "check", f"sqlite:{folder / 'data.sqlite'}", "--json"])
    faults: list[str] = json.loads(capsys.readouterr().out)["faults"]
    return [each for each in faults if "does not know the chunk" not in each]


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("name", ["store", "store-known", "remove"])
def test_it_is_killed_before_each_step_of_what_it_is_asked(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chunk is always there for one session; what another one does is cut, done again, and undone."""
    data, node, cuts = KEPT if name == "store-known" else NEW, KilledNode(tmp_path), 0

    def store() -> None:
        node.store(data, OTHER)

    def remove() -> None:
        node.remove(OTHER)

    act, undo = (remove, store) if name == "remove" else (store, remove)
    after = {SESSION: 1} if name == "remove" else {SESSION: 1, OTHER: 1}
    try:
        node.begin(0)
        node.store(KEPT)
        while cuts < MOST_STEPS:
            undo()
            node.count()
            acknowledged = node.asked(act)
            killed = node.end()
            assert damage(tmp_path, capsys) == [], f"before step {cuts}"
            node.begin(cuts + 1)
            assert node.held(KEPT) and (not acknowledged or node.sessions() == after), f"before step {cuts}"
            act()
            assert node.sessions() == after and node.held(KEPT) and (name == "remove" or node.held(data))
            if not killed:
                break
            cuts += 1
    finally:
        node.end()
        node.client.close()
    assert 3 <= cuts < MOST_STEPS, "it has steps, and all were cut"
