"""A node under test: its settings, keys and chain in a folder, and where its services answer."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from smoke.live.failure import LiveError

PORTS = {"manager": 8086, "engine": 8084, "anchoring": 8085, "data": 8087}
NAMES = {
    "manager": "block-manager",
    "engine": "blockchain-engine",
    "anchoring": "session-anchoring",
    "data": "data-chain",
}
"""What each service calls itself, in the order in which they start."""
COMMAND_S = 120.0
"""A session is final within two blocks or three."""
_given: set[int] = set()

Needs = Callable[[str], dict[str, str]]
"""Given the address at which a node's services reach this machine: the settings of what runs there for them."""


def nothing(address: str) -> dict[str, str]:
    """A node that needs nothing."""
    return {}


class Node(ABC):
    """Four services and how to start and stop each. A context manager, after which nothing of it is left."""

    kind: str
    emulated = False
    standing = False
    """Whether it ran before, and is only to be used."""
    filling: Callable[[str, bool], None] | None = None
    """Fills a service's disk, or makes room again, where it has one of its own."""

    @abstractmethod
    def __enter__(self) -> Self:
        """Make the chain, and what the services need."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing."""

    def __init__(self, folder: Path, needs: Needs = nothing) -> None:
        self.folder = folder
        self.needs = needs
        self.token = secrets.token_hex(16)
        self.api_token = secrets.token_hex(16)
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))

    @abstractmethod
    def start(self, service: str) -> None:
        """Start a service, on what it had stored before."""

    @abstractmethod
    def stop(self, services: list[str], within_s: float) -> dict[str, int]:
        """Stop services by SIGTERM, all at once; exit statuses, 137 for one that had to be killed after `within_s`."""

    @abstractmethod
    def kill(self, service: str) -> None:
        """End a service by SIGKILL."""

    @abstractmethod
    def log(self, service: str) -> str:
        """The last lines that a service said."""

    def url(self, service: str) -> str:
        """Where a service answers this harness."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def make_chain(self) -> None:
        """Make keys and a genesis of one node, by the product's own commands. Raises `LiveError`."""
        key = self.lucid("keys", "new", str(self.folder / "node.key")).split()[0]
        self.lucid("keys", "new", str(self.folder / "owner.key"))
        self.lucid("genesis", "new", str(self.folder / "genesis.toml"), "--node", f"pi={key}")
        lines = [
            f"genesis = {json.dumps(str(self.folder / 'genesis.toml'))}",
            f'api_tokens = ["{self.api_token}"]',
            f'anchoring_url = "{self.url("anchoring")}"',
            f'data_url = "{self.url("data")}"',
        ]
        (self.folder / "client.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def interval_s(self) -> float:
        """Seconds between two blocks of its chain."""
        chain = tomllib.loads((self.folder / "genesis.toml").read_text(encoding="utf-8"))
        return float(chain.get("parameters", {}).get("block_interval_ms", 10_000)) / 1000

    def lucid(self, *words: str) -> str:
        """Run the `lucid` command; its output. Raises `LiveError` with what it said."""
        command = [sys.executable, "-m", "lucid.cli.main", *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S)
        except subprocess.TimeoutExpired:
            raise LiveError(f"lucid {words[0]} does not come to an end within {COMMAND_S:.0f} s") from None
        if done.returncode:
            raise LiveError(f"lucid {words[0]}: {(done.stderr.strip() or done.stdout.strip())[-500:]}")
        return done.stdout

    def ask(self, service: str, path: str, **options: Any) -> httpx.Response | None:
        """A GET; none when nobody answers."""
        try:
            return httpx.get(self.url(service) + path, timeout=10.0, **options)
        except httpx.HTTPError:
            return None

    def height(self) -> int:
        """Height of the manager's last final block; 0 before the first, and while nobody answers."""
        response = self.ask("manager", "/blocks?limit=1")
        blocks = [] if response is None or response.status_code != 200 else response.json()["blocks"]
        return int(blocks[0]["height"]) if blocks else 0

    def await_health(self, services: list[str], status: str, within_s: float) -> dict[str, Any]:
        """Wait until all services say that they are `status`; their answers. Raises `LiveError` for one that is not."""
        deadline = time.monotonic() + within_s
        answers: dict[str, Any] = {}
        while True:
            for service in services:
                response = self.ask(service, "/health")
                answers[service] = None if response is None else response.json()
            wrong = [each for each in services if (answers[each] or {}).get("status") != status]
            if not wrong:
                return answers
            if time.monotonic() > deadline:
                said = answers[wrong[0]] or self.log(wrong[0])[-300:]
                raise LiveError(f"{wrong[0]} is not {status} after {within_s:.0f} s: {said}")
            time.sleep(0.2)


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens at and that were not given out before: who got those may not have started yet."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            probe.bind((address, 0))
            port: int = probe.getsockname()[1]
            if port not in _given:
                _given.add(port)
                found.append(port)
    return found
