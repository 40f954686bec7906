"""What every service does: it starts alone in its folder, or says why not, and stops in the time that it has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from lucid.chain.errors import GenesisError
from lucid.services.devnet import SERVICES, Devnet
from lucid.services.process import service
from lucid.services.process.config import ConfigError
from lucid.storage.interface import StoreOther

STUCK = """
import sys, time
import trio
from lucid.services.process import service
from lucid.services.data import DataService
service.STOP_S = 1.0

class Stuck(DataService):
    async def work(self, task_status):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, time.sleep, 30)
            task_status.started()

service.main(Stuck)
"""


def test_what_no_one_can_cut_off_does_not_keep_a_process(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, "--config", str(node.folder / "node.toml")],
        env={**os.environ, "LUCID_PORT": str(node.ports["data"])},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "listens at" not in (line := process.stderr.readline()):
            assert process.poll() is None, line
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
        assert process.wait(20) == 1, said
        assert time.monotonic() - began < 8
    assert "Timeout (0:00:02)!" in said and "trio" in said, "it says where it hung"


def test_a_folder_is_one_process_s_alone_while_it_runs(tmp_path: Path) -> None:
    held = service._locked(tmp_path / "engine.lock")
    with pytest.raises(ConfigError, match=r"data_dir: another process holds .*engine\.lock"):
        service._locked(tmp_path / "engine.lock")
    service._locked(tmp_path / "data.lock").close()
    held.close()
    service._locked(tmp_path / "engine.lock").close()


def test_a_port_that_is_taken_names_the_settings_that_say_so() -> None:
    with service.open_port("127.0.0.1", 0, "bind and port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"bind and port: .* 127\.0\.0\.1:{port}: Address already"):
            service.open_port("127.0.0.1", port, "bind and port")
    with pytest.raises(ConfigError, match=r"peer_bind: it cannot listen at 192\.0\.2\.1"):
        service.open_port("192.0.2.1", 0, "peer_bind")


@pytest.mark.parametrize("data", [None, b"\xff", b"", b"[", b"interval = 1"])
def test_a_genesis_that_cannot_be_read_is_named(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "genesis.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(GenesisError) as caught:
        service.read_genesis(path)
    assert caught.value.detail.isprintable() and caught.value.detail


@pytest.mark.parametrize("error", [ConfigError("as a test"), StoreOther("as a test")])
def test_a_setting_that_does_not_do_is_raised_as_itself_out_of_all_nurseries(error: Exception) -> None:
    async def fail(depth: int) -> None:
        if not depth:
            raise error
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(fail, depth - 1)

    with pytest.raises(type(error), match="as a test") as caught:
        service.run_to_end(fail, 3)
    assert caught.value is error


def test_what_fails_otherwise_is_raised_whole() -> None:
    async def fail() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise RuntimeError("as a test")

    with pytest.raises(ExceptionGroup) as caught:
        service.run_to_end(fail)
    assert caught.group_contains(RuntimeError, match="as a test")


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"LUCID_TOKEN": ""}, "token must be set"), ({"LUCID_PORT": "x"}, "port"), ({"LUCID_GENESIS": "no/g"}, "no/g")],
)
def test_a_service_that_cannot_start_says_why_in_one_line_and_exits_2(
    tmp_path: Path, changed: dict[str, str], says: str
) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    done = subprocess.run(
        [sys.executable, "-m", "lucid.services.data", "--config", str(node.folder / "node.toml")],
        env={**os.environ, **changed},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("data-chain: ") and says in done.stderr and done.stderr.count("\n") == 1


STOPPED = """
import signal
from lucid.services.process import service
from lucid.services.data import DataService

class Starting(DataService):
    def __new__(cls, *_):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("it does not heed SIGTERM")

signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as of the first process of a container
service.main(Starting)
"""


def test_a_stop_while_it_starts_is_heeded(tmp_path: Path) -> None:
    environment = {**os.environ, "LUCID_TOKEN": "t" * 16}
    command = [sys.executable, "-c", STOPPED]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "data-chain: it was stopped before it had begun\n")


@pytest.mark.parametrize(
    ("which", "new"),
    [("services.anchoring", False), ("services.data", False), ("services.data", True), ("node", False), ("node", True)],
)
def test_a_start_that_is_refused_leaves_no_store_behind(tmp_path: Path, which: str, new: bool) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    if not new:
        for name in SERVICES:
            (node.folder / f"{name}.home").write_text("ab" * 16 + "\n")
    shelf = node.folder / "chunks" / "ab"
    shelf.mkdir(parents=True)
    (shelf / ("ab" * 32)).write_bytes(bytes(2_000))
    command = ["-m", "lucid", "node"] if which == "node" else ["-m", f"lucid.{which}"]
    done = subprocess.run(
        [sys.executable, *command, "--config", str(node.folder / "node.toml")],
        env={**os.environ, "LUCID_STORE": f"sqlite:{node.folder}/typo-{{service}}.sqlite"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2 and "it is empty, but the folder" in done.stderr, done.stderr
    # A new folder has marks of the stores that were begun before, so that they stay.
    kept = {f"typo-{name}.sqlite" for name in SERVICES if name != "data"} if new and which == "node" else set()
    assert {path.name.removesuffix("-log") for path in node.folder.glob("typo*")} == kept


LATE = """
import time
from lucid.services.process import service
from lucid.services.data import DataService

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(60)

slow = Slow()
service.main(DataService)
"""


def test_a_process_that_has_stopped_ends_at_once_whatever_it_still_holds(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    with subprocess.Popen(
        [sys.executable, "-c", LATE, "--config", str(node.folder / "node.toml")],
        env={**os.environ, "LUCID_PORT": str(node.ports["data"])},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "listens at" not in (line := process.stderr.readline()):
            assert process.poll() is None, line
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
