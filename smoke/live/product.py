"""What the live checks have to know of a tree's product, and a run of them under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from smoke.check import Check
from smoke.finding import Finding
from smoke.manifest import Service

if TYPE_CHECKING:
    import httpx

    from smoke.live.node import Make, Node

EMULATED = 4.5
"""How much longer a start may take where the images' processor is emulated."""

Steps = tuple[tuple[Check, Callable[[], Iterator[Finding]]], ...]
"""Checks in their order, each with what carries it out."""


class Product(Protocol):
    """How the services of a tree are run, and what is tried with them."""

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

    def steps(self, run: Run) -> Steps:
        """What is tried with the node."""

    def further(self, run: Run, make: Make, folder: Path) -> Steps:
        """What is tried with nodes of its own, made by `make`, after that one is gone."""


@dataclass
class Run:
    """A run under way: the product, the node, and what is known of it."""

    node: Node
    product: Product
    started: bool = False
    """Whether all were healthy once."""
    healthy_at: float = 0.0
    """When that was seen first, in seconds by this machine's clock."""

    @property
    def start_s(self) -> float:
        """How long a start may take here."""
        return self.product.start_s * (EMULATED if self.node.emulated else 1)
