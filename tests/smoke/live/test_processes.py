"""Services as processes of this machine: started with what they are given, stopped, and nothing of them left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from smoke.live.failure import LiveError
from smoke.live.plain import PlainProduct
from smoke.live.processes import ProcessNode
from smoke.manifest import Live, Manifest, Service
from tests.waiting import PATIENCE_S, wait_until

SPEAKS = "import os, time; print(os.environ['NAME'], flush=True); time.sleep(3600)"
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(3600)"
LEAVES = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)']); "
    "print(child.pid, flush=True)"
)
"""Starts another program and ends before it."""


def node_of(folder: Path, *words: str, name: str = "one") -> ProcessNode:
    service = Service(name=name, dockerfile="Dockerfile", command=words, environment={"NAME": "Ada"})
    return ProcessNode(folder, PlainProduct(Manifest(services=(service,), live=Live()), folder))


def python(folder: Path, code: str) -> ProcessNode:
    return node_of(folder, sys.executable, "-c", code)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_service_gets_its_variables_and_says_what_it_says_into_its_log(tmp_path: Path) -> None:
    with python(tmp_path, SPEAKS) as node:
        assert not node.running("one") and node.log("one") == ""
        node.start("one")
        assert wait_until(lambda: node.log("one"), "its first line") == "Ada\n"
        assert node.running("one")
    assert not node.running("one")


def test_sigterm_s_exit_status_is_told(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(3600)"
    )
    with python(tmp_path, code) as node:
        node.start("one")
        wait_until(lambda: node.log("one"), "that it can be stopped")
        assert node.stop(["one"], PATIENCE_S) == {"one": 7}
        assert not node.running("one")


def test_who_is_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    with python(tmp_path, DEAF) as node:
        node.start("one")
        wait_until(lambda: node.log("one"), "that it is deaf")
        assert node.stop(["one"], 0.2) == {"one": 137}


@pytest.mark.parametrize("end", ["leave", "kill", "stop", "start again"])
def test_nothing_is_left_of_what_a_service_started(tmp_path: Path, end: str) -> None:
    """The child outlives its parent, and holds a port or a lock that the next one needs."""
    with python(tmp_path, LEAVES) as node:
        node.start("one")
        child = int(wait_until(lambda: node.log("one"), "its child's number"))
        wait_until(lambda: not node.running("one"), "that it has ended")
        assert alive(child)
        if end == "kill":
            node.kill("one")
        elif end == "stop":
            assert node.stop(["one"], PATIENCE_S) == {"one": 0}
        elif end == "start again":
            node.start("one")
    wait_until(lambda: not alive(child), "that its child is gone")


def test_a_service_that_was_killed_comes_back_with_its_data(tmp_path: Path) -> None:
    with python(tmp_path, SPEAKS) as node:
        node.start("one")
        wait_until(lambda: node.log("one"), "its first line")
        (Path(node.data("one")) / "kept").touch()
        node.kill("one")
        node.start("one")
        assert os.listdir(node.data("one")) == ["kept"]
        assert wait_until(lambda: node.log("one").count("Ada") == 2, "both starts in one log")
    assert Path(node.data("one")).is_relative_to(tmp_path)


def test_what_cannot_be_started_is_one_sentence(tmp_path: Path) -> None:
    with (
        node_of(tmp_path, str(tmp_path / "no-program")) as node,
        pytest.raises(LiveError, match=r"one cannot be started: .*No such file"),
    ):
        node.start("one")
    assert not node.running("one")


def test_only_the_end_of_a_long_log_is_told(tmp_path: Path) -> None:
    node = python(tmp_path, SPEAKS)
    (tmp_path / "one.log").write_bytes(b"x" * 5000 + b"\xff the end")
    assert node.log("one").endswith("\N{REPLACEMENT CHARACTER} the end") and len(node.log("one")) == 2000
