"""The process of a service: it says why it cannot start, and ends in the time that it has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from lucid.services.devnet import Devnet
from lucid.services.process import running
from lucid.services.process.config import ConfigError
from lucid.storage.errors import StoreOther

STUCK = """
import sys, time
import trio
from lucid.services.process import running
from lucid.services.data import DataService
running.STOP_S = 1.0

class Stuck(DataService):
    async def work(self, task_status):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, time.sleep, 30)
            task_status.started()

running.main(Stuck)
"""


@contextmanager
def listening(folder: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    """A data chain that a program of its own runs, once it listens."""
    node = Devnet(folder, 1, 1_000).nodes[0]
    with subprocess.Popen(
        [sys.executable, "-c", program, "--config", str(node.folder / "node.toml")],
        env={**os.environ, "LUCID_PORT": str(node.ports["data"])},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "listens at" not in (line := process.stderr.readline()):
            assert process.poll() is None, line
        yield process


def test_what_no_one_can_cut_off_does_not_keep_a_process(tmp_path: Path) -> None:
    with listening(tmp_path, STUCK) as process:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(20) == 1, said
        assert time.monotonic() - began < 8
    assert "Timeout (0:00:02)!" in said and "trio" in said, "it says where it hung"


@pytest.mark.parametrize("error", [ConfigError("as a test"), StoreOther("as a test")])
def test_a_setting_that_does_not_do_is_raised_as_itself_out_of_all_nurseries(error: Exception) -> None:
    async def fail(depth: int) -> None:
        if not depth:
            raise error
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(fail, depth - 1)

    with pytest.raises(type(error), match="as a test") as caught:
        running.run_to_end(fail, 3)
    assert caught.value is error


def test_what_fails_otherwise_is_raised_whole() -> None:
    async def fail() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise RuntimeError("as a test")

    with pytest.raises(ExceptionGroup) as caught:
        running.run_to_end(fail)
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
from lucid.services.process import running
from lucid.services.data import DataService

class Starting(DataService):
    def __new__(cls, *_):
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("it does not heed SIGTERM")

signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as of the first process of a container
running.main(Starting)
"""


def test_a_stop_while_it_starts_is_heeded(tmp_path: Path) -> None:
    environment = {**os.environ, "LUCID_TOKEN": "t" * 16}
    command = [sys.executable, "-c", STOPPED]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "data-chain: it was stopped before it had begun\n")


LATE = """
import time
from lucid.services.process import running
from lucid.services.data import DataService

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(60)

slow = Slow()
running.main(DataService)
"""


def test_a_process_that_has_stopped_ends_at_once_whatever_it_still_holds(tmp_path: Path) -> None:
    with listening(tmp_path, LATE) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
