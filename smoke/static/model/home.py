"""PYTHONHOME: where a Python that is told so looks for its standard library."""

from __future__ import annotations

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.scene import Scene


def astray(scene: Scene, version: str) -> str:
    """Why a Python of a version cannot even begin: PYTHONHOME leads it to no standard library; empty where it may."""
    state = scene.state
    given = state.environment.get("PYTHONHOME", "").partition(":")[0]
    if not given or "$" in given or not version or scene.base is None:
        return ""
    prefix = state.path(given)
    if prefix in {site.partition("/lib/")[0] for site in state.sites}:
        return ""
    venv = state.venvs.get(prefix)
    if venv is not None and venv.interpreter.startswith(f"{prefix}/"):
        return ""  # an environment of conda's, which has a library of its own
    library = f"{prefix}/lib/python{version}"
    if state.files.find(f"{library}/os.py") or state.files.find(f"{library}/encodings"):
        return ""
    # No base has the library of one version twice, and no distribution brings one.
    official = bool(state.sites) and state.sites[-1].startswith("/usr/local/lib/")
    known = {DoubtCause.DISTRIBUTIONS, *([DoubtCause.BASE] if official else [])}
    if any(doubt.cause not in known for doubt in state.files.every_doubt(f"{library}/os.py")):
        return ""
    return f"PYTHONHOME is {given}, and Python finds no standard library there: {library} has none"
