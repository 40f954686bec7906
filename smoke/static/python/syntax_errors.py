"""Modules that are loaded and that are not Python, of the image's version; and those that no parser here reads."""

from __future__ import annotations

import sys

from smoke.static.python.conditions import Version
from smoke.static.python.graph import Flaw, Graph, ImportProblem
from smoke.static.python.importer import Importer

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


def _newer(graph: Graph, path: str) -> None:
    reason = f"its syntax is newer than Python {_HOST[0]}.{_HOST[1]}, which reads it here: imports are not followed"
    graph.doubts.append(ImportProblem(path, 0, reason))
