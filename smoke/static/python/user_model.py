"""Django's user model: the app that AUTH_USER_MODEL names is one of those that are installed."""

from __future__ import annotations

from smoke.static.python.graph import Graph, ImportProblem
from smoke.static.python.importer import Importer


def judge_user_model(importer: Importer, graph: Graph) -> None:
    """The app of AUTH_USER_MODEL, where all apps are listed and none has that label."""
    sources = [importer.source(path) for path in graph.settings]
    apps = [each.name for source in sources for each in source.effects.settings if each.by.endswith("_APPS")]
    parts = {part.lower() for app in apps for part in app.split(".")}
    if "django.contrib.auth" not in apps or any(source.dynamic for source in sources) or _labels_made(graph):
        return
    for source in sources:
        for each in source.effects.settings:
            label = each.name.partition(".")[0]
            if each.by == "AUTH_USER_MODEL" and label.lower() not in parts and _in_tree(importer, label):
                message = f"AUTH_USER_MODEL is {each.name}, and no app of INSTALLED_APPS is called {label}"
                graph.problems.append(ImportProblem(source.path, each.line, message))


def _in_tree(importer: Importer, label: str) -> bool:
    """Whether the image has an app of that name, which was not listed."""
    return any(
        path.endswith((f"/{label}/models.py", f"/{label}/models/__init__.py")) for path in importer.files.entries
    )


def _labels_made(graph: Graph) -> bool:
    """Whether an app may have another label than its name."""
    return any(each.numbers.get("label") or "label" in each.names for each in graph.modules.values())
