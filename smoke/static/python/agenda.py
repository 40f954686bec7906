"""The modules that are still to be looked at, in the order in which Python would load them."""

from __future__ import annotations

from collections import deque

from smoke.static.python.importer import Found, Importer, Meaning


class Agenda:
    """What was found and not yet read: what is loaded at the start before what only some function loads."""

    def __init__(self, importer: Importer) -> None:
        self.importer = importer
        self.queue: deque[tuple[Found, str, bool]] = deque()
        """What was found, the package that it is in, and whether Python was started with it."""
        self.later: deque[tuple[Found, str, bool]] = deque()
        """What only some function loads, or an import that may fail: looked at when all the rest is."""
        self.lazily = False
        """Whether what is found now is loaded only later, if at all."""
        self.seen: set[str] = set()
        self.eager: set[str] = set()
        self.loading: list[str] = []
        """What the import under way loads, in order."""

    def __bool__(self) -> bool:
        return bool(self.queue or self.later)

    def take(self) -> tuple[Found, str, bool] | None:
        """The next one; none when it was looked at meanwhile, as something that is loaded at the start."""
        self.lazily = not self.queue
        found, package, main = (self.queue or self.later).popleft()
        return None if self.lazily and found.source in self.eager else (found, package, main)

    def visit(self, found: Found, package: str, main: bool = False) -> None:
        """Put down what an import loads, unless it was put down before."""
        if found.source:
            self.loading.append(found.source)
        if not found.source or found.source in self.eager or (self.lazily and found.source in self.seen):
            return
        if self.lazily:
            self.seen.add(found.source)
            self.later.append((found, package, main))
        else:
            self.eager.add(found.source)
            self.queue.append((found, package, main))

    def enter(self, found: Found, name: str) -> None:
        """Put down a module of this name."""
        self.visit(found, name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0])

    def ancestors(self, name: str) -> None:
        """Put down the packages above a module, which are loaded before it."""
        parts = name.split(".")
        for count in range(1, len(parts)):
            above = ".".join(parts[:count])
            found = self.importer.find(above)
            if found.kind is Meaning.PACKAGE and found.source:
                self.visit(found, above)
