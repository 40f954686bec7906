"""The command that repeats a run."""

from __future__ import annotations

import shlex
from pathlib import Path

from msgspec import structs

from sim.scenario import Scenario
from sim.scenariofile import parse, shipped

OPTIONS = ("seed", "nodes", "duration", "crypto", "profile")
"""Keys of a scenario that `lucid sim run` takes as options."""


def command(scenario: Scenario, folder: Path | None) -> str:
    """The command that repeats a run: by options of a shipped scenario, or else from the `scenario.toml` it left."""
    text = shipped().get(scenario.name)
    if text is not None:
        plain = parse(text, scenario.name)
        options = {key: getattr(scenario, key) for key in OPTIONS}
        if structs.replace(plain, **options) == scenario:
            words = ["lucid", "sim", "run", scenario.name]
            for key, value in options.items():
                if key == "seed" or value != getattr(plain, key):
                    words += [f"--{key}", str(value)]
            return shlex.join(words)
    return shlex.join(["lucid", "sim", "run", str(folder or "scenario.toml")])
