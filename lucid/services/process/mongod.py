"""A private MongoDB on loopback, as a replica set of one node: for a devnet and for tests."""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lucid.services.process.children import tied
from lucid.services.process.ports import free_ports
from lucid.storage.errors import StoreError
from lucid.storage.replicaset import prepare

START_S = 120.0


class Mongod:
    """One mongod; `url` names a fresh database of it each time. Stop and start it to see a client outlive it."""

    def __init__(self, folder: Path, program: str = "mongod", port: int = 0, options: Sequence[str] = ()) -> None:
        """What `folder` holds was made at a `port` of its own, and is used at that only.

        `options` are more of mongod's own, such as `--keyFile`.
        """
        self.folder = folder
        self.options = options
        self.program = program
        self.port = port or free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = itertools.count()

    def __enter__(self) -> Self:
        try:
            self.start()
            prepare(self.database("admin"), START_S)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self) -> str:
        """A URL that names a database nobody has used."""
        return self.database(f"test{next(self._databases)}")

    def database(self, name: str) -> str:
        """The URL of a database."""
        return f"mongodb://127.0.0.1:{self.port}/{name}?replicaSet=rs0"

    def start(self) -> None:
        """Start the process and wait until it listens. Raises `StoreError` where it ends or does not listen in time."""
        self._process = subprocess.Popen(
            tied(
                [
                    self.program,
                    *("--dbpath", str(self.folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"),
                    *("--replSet", "rs0", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"),
                    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
                    *("--wiredTigerEngineConfigString", "log=(prealloc=false,file_max=8MB)"),
                    *self.options,
                ]
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await(self._process)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if process.poll() is not None:
                    raise StoreError(f"{self.program} ended at once, with status {process.returncode}") from None
                if time.monotonic() > deadline:
                    raise StoreError(f"{self.program} does not listen within {START_S:.0f} s") from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the process; its data stay."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None

    def signal(self, number: int) -> None:
        """Send the process a signal, such as SIGSTOP."""
        assert self._process is not None, "it runs"
        self._process.send_signal(number)
