"""The pyproject.toml that a package manager goes by at a step, and what its options name."""

from __future__ import annotations

import itertools
import re
import tomllib
from typing import Any

from smoke.static.model.stage import Stage


def project_of(stage: Stage, rest: list[str]) -> dict[str, Any]:
    """The pyproject.toml of the working directory; empty when another one is meant, or it is not of the tree."""
    elsewhere = ("--project", "--directory", "-C", "-P", "--package", "--all-packages")
    entry = stage.files.find(stage.path("pyproject.toml"))
    if any(word.partition("=")[0] in elsewhere for word in rest) or entry is None or not entry.source or not stage.read:
        return {}
    try:
        return tomllib.loads(stage.read(entry.source).decode())
    except ValueError:
        return {}


def values_of(rest: list[str], *options: str) -> list[str]:
    """The values of options that may be given more than once, separated by commas or spaces too."""
    found = [after for word, after in itertools.pairwise(rest) if word in options]
    found += [word.partition("=")[2] for word in rest if word.partition("=")[0] in options and "=" in word]
    return [each for value in found for each in re.split(r"[\s,]+", value) if each and "$" not in each]
