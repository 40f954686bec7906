"""The node as processes of this machine, where there is no container engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from smoke.live.node import NAMES, Needs, Node, nothing


class ProcessNode(Node):
    """The same services, started by this Python."""

    kind = "processes"

    def __init__(self, folder: Path, needs: Needs = nothing) -> None:
        super().__init__(folder, needs)
        self._settings: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.make_chain()
        self._settings = self.needs("127.0.0.1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in [*self._processes]:
            self.kill(service)

    def start(self, service: str) -> None:
        """See `Node`."""
        settings = {
            "GENESIS": str(self.folder / "genesis.toml"),
            "KEY": str(self.folder / "node.key"),
            "DATA_DIR": str(self.folder / "data"),
            "PORT": str(self.ports[service]),
            "TOKEN": self.token,
            "API_TOKENS": self.api_token,
            **self._settings,
            **{f"{each.upper()}_URL": self.url(each) for each in NAMES},
        }
        environment = {**os.environ, **{f"LUCID_{key}": value for key, value in settings.items()}}
        with (self.folder / f"{service}.log").open("ab") as log:
            self._processes[service] = subprocess.Popen(
                [sys.executable, "-m", f"lucid.services.{service}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def stop(self, services: list[str], within_s: float) -> dict[str, int]:
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
                process.kill()
                process.wait()
                statuses[service] = 137
        return statuses

    def kill(self, service: str) -> None:
        """See `Node`."""
        process = self._processes.pop(service)
        process.kill()
        process.wait()

    def log(self, service: str) -> str:
        """See `Node`."""
        path = self.folder / f"{service}.log"
        return path.read_text(errors="replace")[-2_000:] if path.exists() else ""
