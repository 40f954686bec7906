"""Modules that import each other, in an order in which Python fails."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.python.graph import Flaw, Graph, ImportProblem, ImportStep


def circles(graph: Graph) -> Iterator[ImportProblem]:
    """Names that are taken from a module that is itself still being loaded, before it has them."""
    if graph.entry is None:
        return
    order = _Loading(graph)
    for path in (*graph.before, graph.entry.path):
        if path not in order.done:
            yield from order.load(path)


class _Loading:
    """Loads modules in the order in which Python would."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.done: set[str] = set()
        self.under_way: dict[str, int] = {}
        """Modules that are being loaded, with the line that each has come to."""

    def load(self, entry: str) -> Iterator[ImportProblem]:
        """All problems, from an entry on; iterative, since chains of imports are long."""
        stack: list[Iterator[ImportStep]] = []
        names: list[str] = []
        pending: list[str] = [] if entry not in self.graph.steps else [entry]
        waiting: list[tuple[str, ImportStep, list[str]]] = []
        while pending or stack:
            if pending:
                module = pending.pop()
                self.under_way[module] = 0
                stack.append(iter(self.graph.steps.get(module, [])))
                names.append(module)
                continue
            if waiting and waiting[-1][0] == names[-1]:
                module, step, rest = waiting[-1]
                fresh = next((each for each in rest if each not in self.done and each not in self.under_way), None)
                if fresh is not None:
                    rest.remove(fresh)
                    pending.append(fresh)
                    continue
                waiting.pop()
                yield from self._taken(module, step)
            step_or_none = next(stack[-1], None)
            if step_or_none is None:
                stack.pop()
                module = names.pop()
                self.under_way.pop(module, None)
                self.done.add(module)
                continue
            self.under_way[names[-1]] = step_or_none.line
            waiting.append((names[-1], step_or_none, list(step_or_none.loads)))

    def _taken(self, module: str, step: ImportStep) -> Iterator[ImportProblem]:
        target = step.target
        if not step.wanted or target not in self.under_way or target == module:
            return
        if self.graph.entry is not None and target == self.graph.entry.path and self.graph.entry_is_main:
            return  # as main it has another name, and is loaded a second time
        source = self.graph.modules[target]
        if source.dynamic or source.error or source.stars:
            return
        for name in step.wanted:
            line = source.names.get(name)
            if line is not None and line >= self.under_way[target]:
                chain = " -> ".join([*self.under_way][list(self.under_way).index(target) :])
                message = f"{name} is taken from {target} before it is there: they import each other ({chain})"
                yield ImportProblem(module, step.line, message, flaw=Flaw.CIRCLE)
