"""The schedule of celery beat that an app of Django keeps: its settings have to name that app."""

from __future__ import annotations

from smoke.static.python.program import LoadedProgram
from smoke.tree import Tree


def settings_without_scheduler(program: LoadedProgram, tree: Tree) -> str:
    """The first settings, where none name the app whose scheduler celery is told to use; empty where that is not so."""
    start, graph = program.image.start, program.graph
    if start.server != "celery" or not any("django_celery_beat" in each for each in start.arguments):
        return ""
    settings = sorted(graph.settings & graph.modules.keys())
    named = any(b"django_celery_beat" in tree.data(path) for path in settings)
    return settings[0] if settings and not named else ""
