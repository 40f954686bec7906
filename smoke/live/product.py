"""What the live checks have to know of a tree's product: how it is run, and what is tried with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from smoke.check import Check
from smoke.finding import Finding
from smoke.live.node import Make, Recipe
from smoke.live.underway import Run

Steps = tuple[tuple[Check, Callable[[], Iterator[Finding]]], ...]
"""Checks in their order, each with what carries it out."""


class Product(Recipe, Protocol):
    """How the services of a tree are run, and what is tried with them."""

    def steps(self, run: Run) -> Steps:
        """What is tried with the node."""

    def further(self, run: Run, make: Make, folder: Path) -> Steps:
        """What is tried with nodes of its own, made by `make`, after that one is gone."""
