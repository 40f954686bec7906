"""Programs that keep several others running: each of those has to start."""

from __future__ import annotations

import sys
from collections.abc import Callable

from msgspec.structs import replace

from smoke.static.model.entries import Followed
from smoke.static.model.image import Start
from smoke.static.model.scene import Scene
from smoke.static.model.supervised import Supervised
from smoke.static.python.distributions import bringers
from smoke.static.python.installed import Presence

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


def lost_module(start: Start, scene: Scene) -> str:
    """A module that a program is to load, and that no directory on the path has; empty where one may have it."""
    top = start.module.partition(".")[0]
    if not top or start.doubt or top in sys.stdlib_module_names or bringers(top):
        return ""
    if scene.installed.has(top).presence is not Presence.ABSENT and any(each.doubts for each in scene.installed.each):
        return ""
    for place in start.search:
        if place.endswith("-packages"):
            continue
        if any(scene.exists(f"{place}/{each}") is not False for each in (top, f"{top}.py", f"{top}.pyc")):
            return ""
    own = ", ".join(each for each in start.search if not each.endswith("-packages"))
    return f"there is no module {start.module} in {own}" if own else ""
