"""What the live checks have to know of a tree's product, and a run of them under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from smoke.check import Check
from smoke.finding import Finding
from smoke.live.node import Make, Node, Recipe

EMULATED = 4.5
"""How much longer a start may take where the images' processor is emulated."""

Steps = tuple[tuple[Check, Callable[[], Iterator[Finding]]], ...]
"""Checks in their order, each with what carries it out."""


class Product(Recipe, Protocol):
    """How the services of a tree are run, and what is tried with them."""

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
