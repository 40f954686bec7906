"""The grid of a sweep: axes, and a scenario for each cell."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from sim.scenario import Scenario
from sim.scenariofile import dump
from sim.words import with_words


class Axis(NamedTuple):
    """A key and the values that it takes, as words."""

    key: str
    values: tuple[str, ...]


class Cell(NamedTuple):
    """A place of the grid: a value for each axis, and the scenario that they make of the base (its seed aside)."""

    values: tuple[str, ...]
    scenario: Scenario


def grid(base: Scenario, axes: Sequence[Axis]) -> list[Cell]:
    """Every combination of the axes' values; raises `ScenarioError` for one that cannot be run."""
    cells = []
    for values in itertools.product(*(axis.values for axis in axes)):
        words = [f"{axis.key}={value}" for axis, value in zip(axes, values, strict=True)]
        cells.append(Cell(values, with_words(base, words)))
    return cells


def key_of(scenario: Scenario) -> str:
    """What identifies a run: its scenario, seed included."""
    return hashlib.blake2b(dump(scenario).encode(), digest_size=12).hexdigest()
