"""Which modules make the app that a server starts: what its hooks do is done before anything is served."""

from __future__ import annotations

from smoke.static.model.effective_command import Start
from smoke.static.python.graph import Graph

_SERVERS = frozenset({"uvicorn", "hypercorn", "granian", "fastapi", "gunicorn", "quart"})
"""Servers that start an app before they serve it, and end where that fails."""


def is_served(start: Start) -> bool:
    """Whether the command is a server that runs the hooks of the app it is given."""
    told = " ".join(start.arguments)
    return start.server in _SERVERS and bool(start.module) and "lifespan" not in told


def served_by(start: Start, graph: Graph) -> set[str]:
    """The module that the app is in, and those that it is taken from, or made by."""
    entry = graph.entry
    if entry is None:
        return set()
    if is_served(start):
        names = {each.partition(".")[0] for each in start.application.split("|")}
    elif graph.entry_is_main and any(
        called == "uvicorn.run" and "lifespan" not in told for _, called, told in entry.calls
    ):
        names = {*entry.made}
    else:
        return set()
    names |= {entry.made[each] for each in names if each in entry.made}
    steps = graph.steps.get(entry.path, [])
    return {entry.path, *(each.target for each in steps if names & {*each.wanted})}
