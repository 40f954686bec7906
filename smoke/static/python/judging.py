"""What is judged when all that is loaded is known: syntax, shadows of the standard library, Django's user model."""

from __future__ import annotations

import sys

from smoke.static.python.conditions import Version
from smoke.static.python.graph import Flaw, Graph, ImportProblem
from smoke.static.python.importer import Importer, Meaning
from smoke.static.python.shadows import breaks
from smoke.static.python.source import Source
from smoke.static.python.standard import has_module

_HOST: Version = (sys.version_info.major, sys.version_info.minor)


def judge_syntax(importer: Importer, graph: Graph) -> None:
    """Ruff judges for the image's version; the host's parser only what ruff leaves open."""
    version, modules = importer.version, graph.modules
    asked = version or (3, 15)
    refused = importer.syntax.problems([path for path in modules if not modules[path].doubt], asked)
    for path, source in modules.items():
        problem = refused.get(path)
        if problem is not None and (version is not None or source.error):
            message = f"it is not Python that can be loaded: {problem.message}"
            lazy = path in graph.later
            graph.problems.append(
                ImportProblem(source=path, line=problem.line, message=message, lazy=lazy, flaw=Flaw.SYNTAX)
            )
        elif source.error and version is not None and (version <= _HOST or importer.syntax.trouble == ""):
            if version <= _HOST:
                message = f"it is not Python that can be loaded: {source.error}"
                lazy = path in graph.later
                graph.problems.append(
                    ImportProblem(source=path, line=source.error_line, message=message, lazy=lazy, flaw=Flaw.SYNTAX)
                )
            else:
                _newer(graph, path)
        elif source.error:
            _newer(graph, path)
    if importer.syntax.trouble and version is not None and version != _HOST and modules:
        first = next(iter(modules))
        graph.doubts.append(ImportProblem(first, 0, importer.syntax.trouble))


def judge_shadows(importer: Importer, graph: Graph, directory: str) -> None:
    """Files beside the script that have a standard module's name: all that is loaded gets them instead."""
    loaded = [each for source in _eager(graph) for each in source.imports if not (each.lazy or each.level)]
    standard = {part for each in loaded for part in (each.module, each.module.partition(".")[0])}
    standard |= {f"{each.module}.{name}" for each in loaded for name in each.names}
    outside = {each.top for each in graph.outside if not each.lazy and not each.caught}
    for child in sorted(importer.beside(directory)):
        name = child.removesuffix(".py")
        if not has_module(name, importer.version) or name in sys.builtin_module_names:
            continue
        found = importer.find(name)
        if found.kind not in (Meaning.MODULE, Meaning.PACKAGE) or not found.source:
            continue
        clause = breaks(name, importer.source(found.source), standard, outside)
        if clause:
            message = f"it stands before the standard library's module {name}: {clause}"
            graph.problems.append(ImportProblem(found.source, 1, message, flaw=Flaw.SHADOW))


def _eager(graph: Graph) -> list[Source]:
    return [source for path, source in graph.modules.items() if path not in graph.later]


def _newer(graph: Graph, path: str) -> None:
    reason = f"its syntax is newer than Python {_HOST[0]}.{_HOST[1]}, which reads it here: imports are not followed"
    graph.doubts.append(ImportProblem(path, 0, reason))


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
