"""A plan of what is done on a host: steps, each of which an operator could type, and how they are performed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One thing to do: what for, the command that does it on the host, and its doing."""

    title: str
    command: str
    act: Callable[[], object]


def perform(steps: Sequence[Step], say: Say, done: int = 0) -> None:
    """Do the steps but those that are `done`, one after the other. Raises `DeployError` with the step that failed."""
    for number, step in enumerate(steps[done:], done + 1):
        say(f"{number}/{len(steps)} {step.title}")
        step.act()
