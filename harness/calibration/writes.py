"""How long writes take: `python -m harness.calibration.writes FOLDER` writes until its input ends, and prints that.

In a process of its own, as a service is: threads of another that carries every connection would slow it down.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import trio

from lucid.storage.durable import DurableStore
from lucid.storage.opening import open_store

PAUSE_S = 0.05
"""Between two writes: none is to wait for the one before."""
ROW = bytes(400)
"""About what a vote and its view take."""


class WriteMeter:
    """While it is entered, writes to a store of its own in a folder as a service does, one write at a time."""

    def __init__(self, folder: Path) -> None:
        self.took_us: list[int] = []
        """How long each of them took, once it is left."""
        self._folder = folder
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> WriteMeter:
        command = [sys.executable, "-m", "harness.calibration.writes", str(self._folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        said = self._process.communicate()[0]
        self.took_us = msgspec.json.decode(said, type=list[int]) if self._process.returncode == 0 else []


async def write(folder: Path) -> list[int]:
    """Write until the input ends, but once at least; returns the microseconds that each write took."""
    took_us: list[int] = []
    store = open_store(f"sqlite:{folder / 'writes.db'}")
    durable, over = DurableStore(store), trio.Event()

    async def wait_for_end() -> None:
        await trio.to_thread.run_sync(sys.stdin.buffer.read, abandon_on_cancel=True)
        over.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(durable.run)
        nursery.start_soon(wait_for_end)
        while not over.is_set() or not took_us:
            began = time.perf_counter_ns()
            await durable.write([("rows", len(took_us).to_bytes(8, "big"), ROW)])
            took_us.append((time.perf_counter_ns() - began) // 1_000)
            with trio.move_on_after(PAUSE_S):
                await over.wait()
        nursery.cancel_scope.cancel()
    store.close()
    return took_us


if __name__ == "__main__":
    print(msgspec.json.encode(trio.run(write, Path(sys.argv[1]))).decode())
