"""A process stops in the time that it has, whatever hangs in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lucid.services.devnet import Devnet

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
