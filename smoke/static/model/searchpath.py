"""Where the Python of an image looks for modules."""

from __future__ import annotations

import posixpath

from smoke.static.model.installers.venvs import venv_site
from smoke.static.model.scene import Scene


def search_path(scene: Scene, first: str, flags: set[str], program: str) -> tuple[str, ...]:
    """`sys.path` without the standard library."""
    state, base = scene.state, scene.base
    found = [] if flags & {"I", "P"} or not first else [first]
    if not flags & {"E", "I"}:
        found += [
            state.path(each) for each in state.environment.get("PYTHONPATH", "").split(":") if each and "$" not in each
        ]
    home_of = posixpath.dirname(posixpath.dirname(program))
    venv = state.venvs.get(home_of)
    if venv is not None:
        found.append(venv_site(venv, home_of))
        if not venv.version:
            inside = (each.directory for each in state.installs)
            found += [each for each in inside if each.startswith(f"{home_of}/lib/")]
    if (venv is None or venv.system) and "S" not in flags:
        home = state.environment.get("PYTHONUSERBASE") or (f"{state.home()}/.local" if state.home() else "")
        version = (base.python if base is not None else "") or state.python
        if home and version and not flags & {"s", "I"} and not state.environment.get("PYTHONNOUSERSITE"):
            found.append(f"{home}/lib/python{version}/site-packages")
        found += state.sites or (() if base is None else base.sites)
    return tuple(dict.fromkeys(found))
