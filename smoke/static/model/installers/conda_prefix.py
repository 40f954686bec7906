"""Where conda's environments are, and what is run in them: known without conda's own files."""

from __future__ import annotations

from collections.abc import Sequence

from smoke.static.model.stage import Stage

TOOLS = frozenset(["conda", "mamba", "micromamba"])
_RUN_VALUES = frozenset(["-n", "--name", "-p", "--prefix", "--cwd", "-r", "--root-prefix"])


def root_prefix(stage: Stage) -> str:
    """Where conda itself is, and its base environment."""
    return stage.environment.get("MAMBA_ROOT_PREFIX") or stage.environment.get("CONDA_DIR") or "/opt/conda"


def prefix_of(stage: Stage, values: dict[str, list[str]]) -> str:
    """The directory of the environment that options name; empty when they name none."""
    prefix = (values.get("-p") or values.get("--prefix") or [""])[-1]
    name = (values.get("-n") or values.get("--name") or [""])[-1]
    if prefix and "$" not in prefix:
        return stage.path(prefix)
    if name and "$" not in name:
        return root_prefix(stage) if name in ("base", "root") else f"{root_prefix(stage)}/envs/{name}"
    return ""


def run_in(stage: Stage, words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The environment and the command of `conda run ...`; none when it is no such command."""
    if len(words) < 2 or words[1] != "run":
        return None
    rest, values = list(words[2:]), dict[str, list[str]]()
    while rest and rest[0].startswith("-"):
        name, equals, value = rest[0].partition("=")
        if name in _RUN_VALUES and not equals:
            value = rest[1] if len(rest) > 1 else ""
            rest = rest[2:]
        else:
            rest = rest[1:]
        values.setdefault(name, []).append(value)
    return prefix_of(stage, values) or root_prefix(stage), rest
