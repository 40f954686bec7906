"""`entrypoint.*`: what the container starts exists, can be imported, and serves at the port that is expected."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.model.image import Image
from smoke.static.python.graph import Graph, Importer, Problem, import_graph
from smoke.static.python.source import Source
from smoke.static.scope import Scope

EXISTS = Check(
    "entrypoint.exists",
    Severity.CRITICAL,
    "the module or script that is started is in the image",
    "Python ends at once: there is no such module or file.",
    "Copy it into the image, under a directory that is on the path, or correct the command.",
)
IMPORTS = Check(
    "entrypoint.imports",
    Severity.CRITICAL,
    "everything that it imports can be imported",
    "Python ends with an ImportError or a SyntaxError before the service serves anything.",
    "Correct the import, or copy what it names into the image.",
)
APP = Check(
    "entrypoint.app",
    Severity.CRITICAL,
    "there is something to serve, at the port that everyone expects",
    "The container ends at once, or runs and nobody reaches it.",
    "Serve at the port that EXPOSE, the health check and the manifest agree on.",
)
CHECKS = (EXISTS, IMPORTS, APP)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        yield from _image(scope, image)


def _image(scope: Scope, image: Image) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    reason = f"the Dockerfile can't be followed: {image.broken}" if image.broken else ""
    if not reason and not (start.module or start.script):
        reason = start.doubt or f"nothing would start: {start.trouble}"
    if reason:
        for check in CHECKS:
            yield check.skip(reason, name)
        return
    importer = Importer(scope.tree, image)
    graph = import_graph(importer)
    yield _exists(image, importer, graph)
    if graph.entry is None:
        for check in (IMPORTS, APP):
            yield check.skip("what is started is not a file of the tree", name)
        return
    yield from _imports(scope, image, graph)
    yield from _app(scope, image, graph, graph.entry)


def _exists(image: Image, importer: Importer, graph: Graph) -> Finding:  # noqa: PLR0911 - a case an outcome
    name, start = image.service.name, image.start
    where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
    what = f"module {start.module}" if start.module else start.script
    if graph.entry is not None:
        wrong = _not_as_told(image, graph.entry)
        return EXISTS.fail(wrong, name, where) if wrong else EXISTS.passed(f"{what} is {graph.entry.path}", name, where)
    if start.script:
        doubt = image.files.doubt(start.script)
        if image.files.find(start.script) is not None or doubt:
            return EXISTS.skip(doubt or f"{start.script} is not from the tree", name, where)
        return EXISTS.fail(f"there is no {start.script} in the image", name, where)
    found = importer.find(start.module)
    if found.kind in ("outside", "binary"):
        brought = [each for each in image.installs if each.distributions or each.requirements]
        if brought and found.kind == "outside" and importer.sites:
            own = _own_directory(importer, start.module)
            if own:
                return EXISTS.fail(f"there is no {start.module} in {own}", name, where)
        return EXISTS.fail(f"there is no module {start.module} on {', '.join(start.search)}", name, where)
    if found.kind in ("doubt", "standard"):
        return EXISTS.skip(found.reason or f"{start.module} is of the standard library", name, where)
    if found.kind in ("namespace", "package"):
        return EXISTS.fail(f"{start.module} is a package without __main__.py: it can't be started", name, where)
    return EXISTS.fail(f"there is no module {start.module}: {found.reason}", name, where)


def _own_directory(importer: Importer, module: str) -> str:
    return next((place for place in importer.own if importer.files.names(place)), "")


def _not_as_told(image: Image, entry: Source) -> str:
    service = image.service
    if service.module is not None and image.start.module and service.module != image.start.module:
        return f"it starts {image.start.module}, and the manifest says {service.module}"
    if service.script is not None and entry.path != service.script:
        return f"it starts {entry.path}, and the manifest says {service.script}"
    return ""


def _imports(scope: Scope, image: Image, graph: Graph) -> Iterator[Finding]:
    name = image.service.name
    for problem in graph.problems:
        if problem.lazy:
            message = f"{problem.message} (when the function runs)"
            yield IMPORTS.fail(message, name, _at(scope, problem), severity=Severity.WARNING)
        else:
            yield IMPORTS.fail(problem.message, name, _at(scope, problem))
    for shadow in graph.shadows:
        yield IMPORTS.fail(shadow.message, name, _at(scope, shadow), severity=Severity.WARNING)
    if graph.problems or graph.shadows:
        return
    if graph.doubts:
        first = graph.doubts[0]
        yield IMPORTS.skip(first.message, name, _at(scope, first))
        return
    yield IMPORTS.passed(f"{len(graph.modules)} modules of the tree import each other and the standard library", name)


def _at(scope: Scope, problem: Problem) -> list[Evidence]:
    lines = scope.tree.text(problem.source).split("\n")
    shown = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    return [Evidence(problem.source, problem.line, excerpt(shown))]


def _app(scope: Scope, image: Image, graph: Graph, entry: Source) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    where = [Evidence(entry.path)]
    if entry.error or entry.doubt:
        yield APP.skip(f"{entry.path} can't be read", name, where)
        return
    if start.server:
        first = start.application.partition(".")[0]
        if first not in entry.names and not entry.dynamic and not entry.stars:
            yield APP.fail(f"{entry.path} defines no {first} for {start.server} to serve", name, where)
            return
    elif entry.empty or not entry.main:
        yield APP.fail(f"{entry.path} defines things and ends: nothing in it runs when it is started", name, where)
        return
    yield _port(image, graph, where)


def _port(image: Image, graph: Graph, where: list[Evidence]) -> Finding:
    name, service = image.service.name, image.service
    exposed = set(image.ports)
    if service.port is not None and exposed and service.port not in exposed:
        at = [Evidence(image.dockerfile, image.ports_line)]
        return APP.fail(f"EXPOSE says {min(exposed)}, and the manifest says {service.port}", name, at)
    expected = {service.port} if service.port is not None else exposed
    bound = argument_ports(image.start.words) or {
        (value, source.path, line)
        for source in graph.modules.values()
        for line, _, keywords in source.calls
        for value in _ports_of(keywords)
    }
    entry = graph.entry
    if not bound and entry is not None and expected & {*entry.ports, *_named_ports(entry)}:
        return APP.passed(f"{entry.path} names the port {min(expected)}", name, where)
    if not expected or not bound:
        return APP.skip("the port that it binds to can't be told from its source", name, where)
    if not {value for value, _, _ in bound} & expected:
        value, path, line = min(bound)
        at = [Evidence(path, line)] if path else [Evidence(image.dockerfile, image.start.line)]
        return APP.fail(f"it binds to {value}, and {min(expected)} is expected", name, at)
    return APP.passed(f"it serves at {min(expected)}", name, where)


def _named_ports(entry: Source) -> set[int]:
    return {number for key, number in entry.numbers.items() if "port" in key.lower()}


def argument_ports(words: tuple[str, ...]) -> set[tuple[int, str, int]]:
    """Ports that a server is given on its command line."""
    found: set[tuple[int, str, int]] = set()
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        value = value if equals else (words[place + 1] if place + 1 < len(words) else "")
        if name in ("--port", "-p", "--bind", "-b"):
            port = value.rpartition(":")[2]
            if port.isascii() and port.isdigit() and len(port) < 6:
                found.add((int(port), "", 0))
    return found


def _ports_of(keywords: dict[str, object]) -> Iterator[int]:
    for key in ("port", "bind"):
        value = keywords.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
            yield value
        elif isinstance(value, str) and value.rpartition(":")[2].isdigit() and len(value.rpartition(":")[2]) < 6:
            yield int(value.rpartition(":")[2])
