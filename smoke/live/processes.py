"""The node as processes of this machine, where there is no container engine."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from smoke.live.failure import LiveError
from smoke.live.node import Needs, Node, nothing
from smoke.live.product import Product


class ProcessNode(Node):
    """The same services, started by the commands that the product names."""

    kind = "processes"

    def __init__(self, folder: Path, product: Product, needs: Needs = nothing) -> None:
        super().__init__(folder, product, needs)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.product.prepare(self)
        self.settings = self.needs("127.0.0.1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in [*self._processes]:
            self.kill(service)

    def start(self, service: str) -> None:
        """See `Node`."""
        words = self.product.command(self, service)
        if service in self._processes:
            self.kill(service)  # it has ended by itself, and what it started may not have
        environment = {**os.environ, **self.product.environment(self, service)}
        with (self.folder / f"{service}.log").open("ab") as log:
            try:
                self._processes[service] = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
                )
            except OSError as error:
                raise LiveError(f"{service} cannot be started: {error}") from None

    def stop(self, services: Sequence[str], within_s: float) -> dict[str, int]:
        """See `Node`."""
        for service in services:
            self._processes[service].terminate()
        deadline = time.monotonic() + within_s
        statuses = {}
        for service in services:
            process = self._processes.pop(service)
            try:
                statuses[service] = process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                statuses[service] = 137
            _end(process)
        return statuses

    def kill(self, service: str) -> None:
        """See `Node`."""
        _end(self._processes.pop(service))

    def running(self, service: str) -> bool:
        """See `Node`."""
        return service in self._processes and self._processes[service].poll() is None

    def log(self, service: str) -> str:
        """See `Node`."""
        path = self.folder / f"{service}.log"
        return path.read_text(errors="replace")[-2_000:] if path.exists() else ""

    def data(self, service: str) -> str:
        """See `Node`: one for each service, in the node's folder."""
        path = self.folder / "data" / service
        path.mkdir(parents=True, exist_ok=True)
        return str(path)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it is left, nor of what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
