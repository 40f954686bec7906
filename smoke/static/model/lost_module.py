"""A module that a start is to load, and that no directory on its path has."""

from __future__ import annotations

import sys

from smoke.static.model.effective_command import Start
from smoke.static.model.scene import Scene
from smoke.static.python.distributions import bringers
from smoke.static.python.installed import Presence


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
