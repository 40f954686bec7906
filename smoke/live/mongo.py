"""MongoDB under a node: the node's services on a real mongod, which is stopped and started."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from smoke.finding import Finding
from smoke.live.node import NAMES, LiveError
from smoke.live.processes import ProcessNode

READY_S = 30.0


def survive(program: str, folder: Path, start_s: float) -> Iterator[Finding]:
    """Run a node on MongoDB as processes, and take the database away and back."""
    from smoke.live.checks import PHASE1, SERVICES  # noqa: PLC0415 - they name each other

    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"mongodb://127.0.0.1:{port}/lucid-{{service}}?replicaSet=rs0"
    with _Mongod(program, folder, port) as mongod, ProcessNode(folder, url) as node:
        for service in NAMES:
            node.start(service)
        node.await_health(SERVICES, "healthy", start_s)
        yield PHASE1.passed(f"all four are healthy on MongoDB ({program}, one-node replica set, majority writes)")
        mongod.stop()
        node.await_health(["manager"], "degraded", 40)
        yield PHASE1.passed("the manager is degraded, with the reason, while MongoDB is stopped", "manager")
        before = _height(node)
        mongod.start()
        node.await_health(SERVICES, "healthy", start_s + 30)
        deadline = time.monotonic() + 60
        while (after := _height(node)) <= before and time.monotonic() < deadline:
            time.sleep(0.5)
        if after > before:
            yield PHASE1.passed(f"healthy again when MongoDB is back, and blocks go on: {before}, then {after}")
        else:
            yield PHASE1.fail(f"no block came within 60 s after MongoDB was back (height {before})")


def _height(node: ProcessNode) -> int:
    response = node.ask("manager", "/blocks?limit=1")
    blocks = [] if response is None else response.json()["blocks"]
    return int(blocks[0]["height"]) if blocks else 0


class _Mongod:
    """A mongod on loopback, a replica set of one."""

    def __init__(self, program: str, folder: Path, port: int) -> None:
        self.program, self.folder, self.port = program, folder / "mongod", port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Mongod:
        self.folder.mkdir()
        self.start()
        from pymongo import MongoClient  # noqa: PLC0415 - slow

        try:
            with MongoClient[dict[str, object]]("127.0.0.1", self.port, directConnection=True) as client:
                member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
                deadline = time.monotonic() + READY_S
                while not client.admin.command("hello").get("isWritablePrimary"):
                    if time.monotonic() > deadline:
                        raise LiveError("mongod does not become primary")
                    time.sleep(0.05)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        where = ["--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"]
        options = ["--replSet", "rs0", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
        self._process = subprocess.Popen(
            [self.program, *where, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LiveError(f"{self.program} does not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(READY_S)
            self._process = None
