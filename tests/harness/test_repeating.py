"""The command that repeats a run: by options of a shipped scenario, or from the folder that it left."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness.repeating import command
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenariofile import load


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "lucid sim run split --seed 1"),
        ({"seed": 3, "duration": "5m"}, "lucid sim run split --seed 3 --duration 5m"),
        (
            {"nodes": 9, "crypto": "real", "profile": "tor"},
            "lucid sim run split --seed 1 --nodes 9 --crypto real --profile tor",
        ),
        ({"duration": "5 m"}, "lucid sim run split --seed 1 --duration '5 m'"),
        ({"anchor_every_ms": 5}, "lucid sim run scenario.toml"),
        ({"name": "mine"}, "lucid sim run scenario.toml"),
    ],
)
def test_the_command_of_a_shipped_scenario_names_what_was_changed(changes: dict[str, Any], words: str) -> None:
    wanted = changed(load("split"), **changes)
    assert command(wanted, None) == words
    if "scenario.toml" not in words:
        assert from_words(shlex.split(words)) == wanted


def from_words(words: list[str]) -> Scenario:
    """The scenario that a command runs."""
    assert words[:3] == ["lucid", "sim", "run"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    values = {key[2:]: int(value) if key in ("--seed", "--nodes") else value for key, value in options.items()}
    return structs.replace(load(words[3]), **values)


def test_the_command_of_any_other_names_its_folder() -> None:
    other = changed(load("split"), anchor_every_ms=5)
    assert command(other, Path("runs/my run")) == "lucid sim run 'runs/my run'"
