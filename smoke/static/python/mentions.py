"""Strings that name modules, or things in modules: what they load, and which of them name nothing."""

from __future__ import annotations

from msgspec.structs import replace

from smoke.static.python.effects import Mention
from smoke.static.python.graph import Flaw, ImportProblem, Outside
from smoke.static.python.importer import Meaning
from smoke.static.python.readied import imports_of_ready
from smoke.static.python.resolver import Resolver
from smoke.static.python.standard import is_plain

_ATTRIBUTES = {
    "INSTALLED_APPS": 1,
    "MIDDLEWARE": 1,
    "WSGI_APPLICATION": 1,
    "ASGI_APPLICATION": 1,
    "dictConfig": 2,
    "AUTHENTICATION_BACKENDS": 1,
    "THIRD_PARTY_APPS": 1,
    "LOCAL_APPS": 1,
    "DJANGO_APPS": 1,
    "MIDDLEWARE_CLASSES": 1,
    "the command": 1,
    "uvicorn.run": 0,
    "from_object": 1,
}
"""How many last parts of a name that a setting holds may be things in a module."""
_TAKEN = frozenset({"INSTALLED_APPS", "LOCAL_APPS", "MIDDLEWARE", "dictConfig", "from_object"})
"""Those of them whose things are taken from their modules as the code is loaded."""


class Mentions:
    """Follows the strings that settings and calls name modules by."""

    def __init__(self, resolver: Resolver) -> None:
        self.importer, self.graph, self.agenda = resolver.importer, resolver.graph, resolver.agenda
        self.resolver = resolver
        self.configured: set[str] = set()

    def follow(self, named: Mention, source: str) -> None:
        """A string of a source that names a module, or a thing in one: its longest part that is a module is loaded."""
        parts = named.name.split(".")
        found = self.importer.find(named.name)
        cut = len(parts)
        least = len(parts) - _ATTRIBUTES.get(named.by, 0)
        while (
            found.kind is Meaning.MISSING and cut > max(1, least) and (cut < len(parts) or _is_thing(named, parts[-1]))
        ):
            cut -= 1
            found = self.importer.find(".".join(parts[:cut]))
        name = ".".join(parts[:cut])
        standard = (
            found.kind is Meaning.STANDARD and is_plain(parts[0]) and len(parts) > 1 + _ATTRIBUTES.get(named.by, 0)
        )
        if standard:
            message = f"{named.by} names {named.name}: {parts[0]} is a module of the standard library, no package"
            self.graph.problems.append(ImportProblem(source, named.line, message))
        elif found.kind is Meaning.MISSING or (found.kind is Meaning.NAMESPACE and cut < len(parts)):
            message = f"{named.by} names {named.name}: {found.reason or 'there is no such module'}"
            self.graph.problems.append(ImportProblem(source, named.line, message))
        elif found.kind is Meaning.OUTSIDE:
            self.graph.outside.append(
                Outside(name=named.name, source=source, line=named.line, caught=False, lazy=False, by=named.by)
            )
        elif found.source:
            if cut == len(parts) - 1 and named.by in _TAKEN and not self.resolver.has(found, name, parts[-1], set()):
                message = f"{named.by} names {named.name}: {found.source} defines no {parts[-1]}"
                self.graph.problems.append(ImportProblem(source, named.line, message, flaw=Flaw.NAME))
            self.agenda.ancestors(name)
            self.agenda.enter(found, name)
            if named.by.endswith("_APPS") and cut == len(parts) - 1 and parts[-1][:1].isupper():
                self._readied(
                    found.source, parts[-1], name if found.kind is Meaning.PACKAGE else name.rpartition(".")[0]
                )
            if named.by == "INSTALLED_APPS" and found.kind is Meaning.PACKAGE:
                self._app(name)

    def _app(self, name: str) -> None:
        """What Django loads of an app besides the app itself."""
        for child in ("apps", "models"):
            inner = self.importer.find(f"{name}.{child}")
            if inner.source and child == "apps":
                self._app_config(inner.source)
            if inner.source:
                self.agenda.visit(inner, f"{name}.{child}" if inner.kind is Meaning.PACKAGE else name)

    def _app_config(self, path: str) -> None:
        """The one configuration of an app: Django imports what its `name` says."""
        configs = self.importer.source(path).effects.configs
        if len(configs) == 1 and configs[0].name not in self.configured:
            self.configured.add(configs[0].name)
            self.follow(configs[0], path)
            self._readied(path, "", configs[0].name)

    def _readied(self, path: str, config: str, package: str) -> None:
        """What `ready` of an app's configuration imports as Django sets itself up."""
        source = self.importer.source(path)
        lines = imports_of_ready(self.importer.tree.data(path), config)
        for each in source.imports:
            if each.line in lines and each.lazy and not each.caught:
                self.graph.problems += self.resolver.problems(source, replace(each, lazy=False), package)


def _is_thing(named: Mention, last: str) -> bool:
    return not named.by.endswith("_APPS") or last[:1].isupper()
