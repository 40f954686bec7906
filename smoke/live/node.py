"""A node under test: a tree's services, what they need in a folder, and where they answer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from smoke.live.asking import probe_client, told
from smoke.live.failure import LiveError
from smoke.live.freeports import free_ports
from smoke.manifest import Service

Needs = Callable[[str], dict[str, str]]
"""Given the address at which a node's services reach this machine: the variables for what runs there for them."""


def nothing(address: str) -> dict[str, str]:
    """A node that needs nothing."""
    return {}


class Recipe(Protocol):
    """How the services of a tree are run, and how it is told that they are well."""

    services: Mapping[str, Service]
    """By name, in the order in which they start."""
    start_s: float
    """How long a start may take where the images' processor is this machine's."""
    grace_s: int
    """Within what a service ends after SIGTERM."""

    def prepare(self, node: Node) -> None:
        """Make what the services need before the first start, in the node's folder. Raises `LiveError`."""

    def command(self, node: Node, service: str) -> Sequence[str]:
        """The words that start a service as a process of this machine. Raises `LiveError`."""

    def environment(self, node: Node, service: str) -> dict[str, str]:
        """The variables that a service is given."""

    def files(self, node: Node, service: str) -> Mapping[str, bytes]:
        """What a container finds below /config, read by its user alone; empty: there is no such directory."""

    def state(self, node: Node, service: str, answer: httpx.Response | None) -> str:
        """`healthy`, `degraded` or empty, by what its health path answers; none when nobody does."""


class Make(Protocol):
    """Makes a node of the same kind."""

    def __call__(self, folder: Path, needs: Needs = nothing, disk_mb: int | None = None) -> Node:
        """With `disk_mb` each service has a disk of that size, where nodes of this kind have disks."""


class Node(ABC):
    """Services and how to start and stop each. A context manager, after which nothing of it is left."""

    kind: str
    emulated = False
    standing = False
    """Whether it ran before, and is only to be used."""
    contained = False
    """Whether each service is in a container."""
    filling: Callable[[str, bool], None] | None = None
    """Fills a service's disk, or makes room again, where it has one of its own."""

    @abstractmethod
    def __enter__(self) -> Self:
        """Make what the services need."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing."""

    def __init__(self, folder: Path, product: Recipe, needs: Needs = nothing) -> None:
        self.folder = folder
        self.product = product
        self.needs = needs
        self.settings: dict[str, str] = {}
        """What `needs` came to."""
        listening = [name for name, service in product.services.items() if service.port is not None]
        self.ports = dict(zip(listening, free_ports(len(listening)), strict=True))
        """Where each service that listens answers on this machine."""
        self._client = probe_client()

    @abstractmethod
    def start(self, service: str) -> None:
        """Start a service, on what it had stored before."""

    @abstractmethod
    def stop(self, services: Sequence[str], within_s: float) -> dict[str, int]:
        """Stop services by SIGTERM, all at once; exit statuses, 137 for one that had to be killed after `within_s`."""

    @abstractmethod
    def kill(self, service: str) -> None:
        """End a service by SIGKILL."""

    @abstractmethod
    def running(self, service: str) -> bool:
        """Whether a service has not ended."""

    @abstractmethod
    def log(self, service: str) -> str:
        """The last lines that a service said."""

    @abstractmethod
    def data(self, service: str) -> str:
        """The directory that a service writes to, as it sees it."""

    @property
    def services(self) -> list[str]:
        """Their names, in the order in which they start."""
        return [*self.product.services]

    def url(self, service: str) -> str:
        """Where a service answers this harness."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def inner_url(self, service: str) -> str:
        """Where a service answers the others."""
        return f"http://{service}:{self.port(service)}" if self.contained else self.url(service)

    def address(self, service: str) -> str:
        """The IP address that a service has, as this machine reaches it."""
        return "127.0.0.1"

    def port(self, service: str) -> int | None:
        """The port that a service has to listen at."""
        return self.product.services[service].port if self.contained else self.ports.get(service)

    def ask(self, service: str, path: str, **options: Any) -> httpx.Response | None:
        """A GET; none when nobody answers."""
        try:
            return self.send("GET", service, path, **options)
        except httpx.HTTPError:
            return None

    def send(self, method: str, service: str, path: str, **options: Any) -> httpx.Response:
        """A request. Raises `httpx.HTTPError` when nobody answers."""
        return self._client.request(method, self.url(service) + path, **options)

    def state(self, service: str) -> tuple[str, httpx.Response | None]:
        """What a service says that it is, and its answer."""
        described = self.product.services[service]
        answer = self.ask(service, described.health or "/") if described.port is not None else None
        return self.product.state(self, service, answer), answer

    def await_health(self, services: Sequence[str], status: str, within_s: float) -> dict[str, Any]:
        """Wait until all services say that they are `status`; their answers. Raises `LiveError` for one that is not,
        at once for one that has ended."""
        deadline = time.monotonic() + within_s
        while True:
            states = {service: self.state(service) for service in services}
            wrong = [service for service, (found, _) in states.items() if found != status]
            if not wrong:
                return {service: told(answer) for service, (_, answer) in states.items()}
            for service in wrong:
                if not self.running(service):
                    raise LiveError(f"{service} has ended: {self.log(service)[-300:]}")
            if time.monotonic() > deadline:
                said = told(states[wrong[0]][1]) or self.log(wrong[0])[-300:]
                raise LiveError(f"{wrong[0]} is not {status} after {within_s:.0f} s: {said}")
            time.sleep(0.2)
