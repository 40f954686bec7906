"""`entrypoint.imports`: everything that it imports can be imported."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.model.image import Image
from smoke.static.python.graph import Flaw, Graph, ImportProblem
from smoke.static.scope import Scope

IMPORTS = Check(
    "entrypoint.imports",
    Severity.CRITICAL,
    "everything that it imports can be imported",
    "Python ends with an ImportError or a SyntaxError before the service serves anything.",
    "Correct the import, or copy what it names into the image.",
)
_REMEDIES = {
    Flaw.SYNTAX: "Write it for the image's Python, or take a base with a newer one.",
    Flaw.ANNOTATION: "Add `from __future__ import annotations`, write it for the image's Python, or take a newer base.",
    Flaw.CIRCLE: "Import the module instead of the name, import it in the function that needs it, or move the name.",
    Flaw.SHADOW: "Give the file another name.",
    Flaw.RELATIVE: "Start it with python -m, or import by the module's whole name.",
}


def judge_imports(scope: Scope, image: Image, graph: Graph) -> Iterator[Finding]:
    name = image.service.name
    for problem in dict.fromkeys(graph.problems):
        remedy = _REMEDIES.get(problem.flaw, "")
        if problem.lazy:
            message = f"{problem.message} (when the function runs)"
            yield IMPORTS.fail(message, name, _at(scope, problem), severity=Severity.WARNING, remedy=remedy)
        else:
            yield IMPORTS.fail(problem.message, name, _at(scope, problem), remedy=remedy)
    for shadow in graph.shadows:
        yield IMPORTS.fail(shadow.message, name, _at(scope, shadow), severity=Severity.WARNING)
    if graph.problems or graph.shadows:
        return
    if graph.doubts:
        first = graph.doubts[0]
        yield IMPORTS.skip(first.message, name, _at(scope, first))
        return
    yield IMPORTS.passed(f"{len(graph.modules)} modules of the tree import each other and the standard library", name)


def _at(scope: Scope, problem: ImportProblem) -> list[Evidence]:
    lines = scope.tree.text(problem.source).split("\n")
    shown = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    return [Evidence(problem.source, problem.line, excerpt(shown))]
