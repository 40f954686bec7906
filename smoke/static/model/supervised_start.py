"""The start of a program that keeps others running: each of those has to start."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from smoke.static.model.effective_command import Start
from smoke.static.model.entries import Followed
from smoke.static.model.lost_module import lost_module
from smoke.static.model.scene import Scene
from smoke.static.model.supervised import Supervised

Resolved = Callable[[Start, tuple[str, ...], Scene], Start]
"""Tells what words start."""


def kept_running(start: Start, listed: Supervised, scene: Scene, resolved: Resolved) -> Start:
    """A program that keeps several others running: the first of them that cannot be started is the trouble."""
    if listed.trouble:
        return replace(start, trouble=listed.trouble)
    start = replace(start, writes=listed.writes)
    for each in listed.programs:
        place = scene.within(Followed(directory=each.directory))
        inner = resolved(replace(start, writes=()), each.words, place)
        why = inner.trouble
        if inner.script and scene.exists(inner.script) is False:
            why = why or f"there is no {inner.script}"
        if why := why or lost_module(inner, scene):
            return replace(start, trouble=f"its program {each.name} cannot be started: {why}")
    return replace(start, doubt=f"what {start.words[0]} keeps running is not looked into further")
