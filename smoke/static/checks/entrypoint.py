"""`entrypoint.*`: what the container starts exists, can be imported, finds what it opens, and serves where expected."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.given import makes_no_app, uncalled, ungiven, wanting
from smoke.static.model.filesystem import DoubtCause
from smoke.static.model.image import Image
from smoke.static.model.servers.served import LOOPBACK
from smoke.static.python.distributions import bringers, modules, normalized
from smoke.static.python.graph import Flaw, Graph, ImportProblem
from smoke.static.python.importer import Meaning
from smoke.static.python.installed import Presence
from smoke.static.python.program import LoadedProgram
from smoke.static.python.serving import Local
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
_ASGI = frozenset({"FastAPI", "Starlette", "Quart", "Litestar", "Sanic", "BlackSheep", "get_asgi_application"})
_WSGI = frozenset({"Flask", "Bottle", "get_wsgi_application"})
"""Classes of frameworks, and functions of Django's, by the interface that their apps have."""
_TESTS = frozenset({"unittest", "pytest"})
_REMEDIES = {
    Flaw.SYNTAX: "Write it for the image's Python, or take a base with a newer one.",
    Flaw.ANNOTATION: "Add `from __future__ import annotations`, write it for the image's Python, or take a newer base.",
    Flaw.CIRCLE: "Import the module instead of the name, import it in the function that needs it, or move the name.",
    Flaw.SHADOW: "Give the file another name.",
    Flaw.RELATIVE: "Start it with python -m, or import by the module's whole name.",
}


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        yield from _image(scope, image)


def _image(scope: Scope, image: Image) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    if image.unstarted:
        for check in CHECKS:
            yield check.skip(image.unstarted, name)
        return
    program = scope.programs.of(image)
    graph = program.graph
    yield _exists(program)
    if start.module in _TESTS and image.launch is not None and image.launch.published and not image.launch.by_hand:
        where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
        message = f"it runs {start.module}, which tests and ends, and port {min(image.launch.published)} is published"
        yield APP.fail(message, name, where, remedy="Name the target of the stage that serves.")
        return
    if graph.entry is None:
        for check in (IMPORTS, APP):
            yield check.skip("what is started is not a file of the tree", name)
        if start.host in LOOPBACK and _expected(image)[1]:
            where = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
            yield _unreachable(start.host, start.server or start.module, name, where)
        return
    yield from _imports(scope, image, graph)
    yield from _app(scope, program, graph.entry)


def _exists(program: LoadedProgram) -> Finding:  # noqa: PLR0911 - a case an outcome
    image, importer, graph = program.image, program.importer, program.graph
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
    if found.kind in (Meaning.DOUBT, Meaning.STANDARD, Meaning.BINARY):
        return EXISTS.skip(found.reason or f"{start.module} is not a file of the tree", name, where)
    if found.kind in (Meaning.NAMESPACE, Meaning.PACKAGE) and not start.server:
        return EXISTS.fail(f"{start.module} is a package without __main__.py: it cannot be started", name, where)
    if found.kind is Meaning.OUTSIDE:
        return _not_of_the_tree(program, where)
    hint = ""
    if start.module.endswith(".py"):
        hint = f" (-m takes a module's name, without .py: {start.module.removesuffix('.py')})"
    return EXISTS.fail(f"there is no module {start.module}: {found.reason}{hint}", name, where)


def _not_of_the_tree(program: LoadedProgram, where: list[Evidence]) -> Finding:
    """A module that no directory on the path has: installed, in doubt, or missing."""
    image, importer = program.image, program.importer
    name, start = image.service.name, image.start
    answer = program.installed.has(start.module)
    if gone := _source_gone(program, start.module.partition(".")[0]):
        return EXISTS.fail(gone, name, where, remedy="Install it without -e (--no-editable), or copy its sources too.")
    if answer.presence in (Presence.ASKED, Presence.BROUGHT):
        return EXISTS.skip(f"{start.module} is of {answer.by}, which is installed: it is not looked into", name, where)
    if answer.presence is Presence.UNKNOWN and not _tree_has(program, start.module) and not _of_no_one(program):
        return EXISTS.skip(f"whether {start.module} is there: {answer.reason}", name, where)
    if doubt := _doubt(program, start.module, elsewhere=_tree_has(program, start.module)):
        return EXISTS.skip(f"whether {start.module} is there: {doubt}", name, where)
    places = f" in {', '.join(importer.own)}" if importer.own else ""
    other = importer.other_case(start.module.partition(".")[0])
    hint = f" ({other} has another name on Linux)" if other else ""
    if answer.presence is Presence.HIDDEN:
        hint = f": it is installed to {answer.reason}, where the Python that is started does not look"
    return EXISTS.fail(f"there is no module {start.module}{places}, and nothing installs it{hint}", name, where)


def _of_no_one(program: LoadedProgram) -> bool:
    """Whether no distribution can bring the module that a server is to load: all are known, and none has that name."""
    top = program.image.start.module.partition(".")[0]
    asked = [name for each in program.installed.each for name in each.asked]
    return (
        bool(program.image.start.server)
        and not bringers(top)
        and not program.installed.doubts
        and all(modules(name) is not None and normalized(name) != normalized(top) for name in asked)
    )


def _source_gone(program: LoadedProgram, top: str) -> str:
    """Why an editable installation leads nowhere: its sources stayed in another stage."""
    files = program.image.files
    for each in program.installed.each:
        path = f"{each.install.directory}/{top}"
        entry = files.entries.get(path)
        linked = top in each.modules and entry is not None and entry.kind == "link"
        if linked and entry is not None and files.find(path) is None and not files.doubt(entry.target):
            return f"{top} is installed as a link to {entry.target}, which the image does not have"
    return ""


def _tree_has(program: LoadedProgram, module: str) -> bool:
    """Whether the image has a module of that name, in a directory where Python does not look."""
    ends = (f"/{module.replace('.', '/')}.py", f"/{module.replace('.', '/')}/__init__.py")
    return any(path.endswith(ends) for path in program.image.files.entries)


def _doubt(program: LoadedProgram, module: str, *, elsewhere: bool) -> str:
    """Why a module may be where Python looks; a base does not have one that the tree has `elsewhere`."""
    image = program.image
    top = module.partition(".")[0]
    for directory in image.start.search:
        for reason in image.files.every_doubt(f"{directory}/{top}"):
            if directory.endswith("-packages") and image.base is not None and reason.cause in ("base", "distributions"):
                continue
            if elsewhere and image.base is not None and reason.cause is DoubtCause.BASE:
                continue
            return reason
    return "" if image.start.search else "where Python looks is not known"


def _not_as_told(image: Image, entry: Source) -> str:
    service = image.service
    if service.module is not None and image.start.module and service.module != image.start.module:
        return f"it starts {image.start.module}, and the manifest says {service.module}"
    if service.script is not None and entry.path != service.script:
        return f"it starts {entry.path}, and the manifest says {service.script}"
    return ""


def _imports(scope: Scope, image: Image, graph: Graph) -> Iterator[Finding]:
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


def _app(scope: Scope, program: LoadedProgram, entry: Source) -> Iterator[Finding]:
    image = program.image
    name, start = image.service.name, image.start
    where = [Evidence(entry.path)]
    if entry.error or entry.doubt:
        yield APP.skip(f"{entry.path} cannot be read", name, where)
        return
    if start.server and start.module:
        names = [each.partition(".")[0] for each in start.application.split("|")]
        known = {*entry.names} | _starred(program, entry)
        package = entry.path.endswith("__init__.py")
        if (
            names != ["*"]
            and not ({*names} & known)
            and not entry.dynamic
            and not _open(program, entry)
            and not (package and _has_part(program, entry, names))
        ):
            shown = " nor ".join(names)
            yield APP.fail(f"{entry.path} defines no {shown} for {start.server} to serve", name, where)
            return
        if start.server == "celery" and names == ["*"] and package and _has_nothing(entry):
            yield APP.fail(
                f"{entry.path} has no app for celery to work for, nor is there a celery.py beside it", name, where
            )
            return
        if start.server in ("flask", "quart") and names == ["*"] and makes_no_app(program, entry):
            yield APP.fail(f"{entry.path} has neither an app nor a function that is called create_app", name, where)
            return
        clause = ungiven(program, entry, names) if start.factory else ""
        if not (start.factory or _configured(image)):
            clause = _other_interface(image, entry, names) or uncalled(program, entry, names)
        if clause:
            yield APP.fail(clause, name, where)
            return
    elif entry.empty or (not entry.main and start.server != "streamlit" and not _works_elsewhere(program, entry)):
        yield APP.fail(f"{entry.path} defines things and ends: nothing in it runs when it is started", name, where)
        return
    lacking = list(wanting(scope, program))
    for each in lacking:
        yield APP.fail(each.message, name, each.at, remedy=each.remedy)
    if not lacking:
        yield from _port(program, entry, where)


def _has_nothing(entry: Source) -> bool:
    """Whether a module has no name at all."""
    return entry.empty and not (entry.dynamic or entry.stars or entry.error)


def _has_part(program: LoadedProgram, entry: Source, names: list[str]) -> bool:
    """Whether a package may have a name by a module in it."""
    return any(
        program.importer.find(f"{program.image.start.module}.{name}").kind is not Meaning.MISSING for name in names
    )


def _configured(image: Image) -> bool:
    """Whether a file or a variable may tell the server which workers it has."""
    start = image.start
    told = image.files.find(f"{start.workdir or image.workdir}/gunicorn.conf.py") is not None
    return bool(start.also or told or image.environment.get("GUNICORN_CMD_ARGS"))


def _other_interface(image: Image, entry: Source, names: list[str]) -> str:
    """Why a server cannot call an app: it is made for the other interface."""
    start = image.start
    server, arguments = start.server, start.arguments
    made = next((entry.made[each] for each in names if each in entry.made), "")
    if made not in entry.names:
        return ""  # another's class of that name, or one that is not imported by name
    if server in ("gunicorn", "waitress", "waitress-serve") and made in _ASGI:
        told = [word for word in arguments if word.startswith(("-k", "--worker-class", "-c", "--config"))]
        return "" if told else f"{made} is an ASGI app, which {server} cannot serve without a worker class for it"
    if server in ("uvicorn", "daphne") and made in _WSGI and not any("wsgi" in word for word in arguments):
        return f"{made} is a WSGI app, and {server} serves ASGI"
    return ""


def _starred(program: LoadedProgram, entry: Source) -> set[str]:
    found: set[str] = set()
    for star in entry.stars:
        for path, source in program.graph.modules.items():
            if path.endswith((f"{star.module.rpartition('.')[2]}.py", f"{star.module.replace('.', '/')}/__init__.py")):
                found |= {*source.names}
    return found


def _open(program: LoadedProgram, entry: Source) -> bool:
    """Whether a star import may bring names that are not known."""
    return bool(entry.stars) and any(
        not any(path.endswith(f"{star.module.rpartition('.')[2]}.py") for path in program.graph.modules)
        for star in entry.stars
    )


def _works_elsewhere(program: LoadedProgram, entry: Source) -> bool:
    """Whether a module that a script imports does the work as it is loaded."""
    graph = program.graph
    loaded = {path for step in graph.steps.get(entry.path, []) for path in step.loads}
    return any(graph.modules[path].main for path in loaded if path in graph.modules and path != entry.path)


_SERVES = frozenset({"run", "serve", "run_app", "start_server"})
"""Calls that serve, whatever else has a port."""


def _port(program: LoadedProgram, entry: Source, where: list[Evidence]) -> Iterator[Finding]:
    image, graph = program.image, program.graph
    name, service, start = image.service.name, image.service, image.start
    exposed = set(image.ports)
    at_command = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
    if service.port is not None and exposed and service.port not in exposed:
        at = [Evidence(image.dockerfile, image.ports_line)]
        yield APP.fail(f"EXPOSE says {min(exposed)}, and the manifest says {service.port}", name, at)
        return
    expected, reached = _expected(image)
    if reached and start.host in LOOPBACK:
        yield _unreachable(start.host, start.server or "it", name, at_command)
        return
    bound: set[tuple[int, str, int]] = set()
    if start.port is not None:
        bound = {(start.port, "", 0)}
    elif not start.server:
        bound = {
            (value, source.path, line)
            for source in graph.modules.values()
            for line, called, keywords in source.calls
            if image.ports or service.port is not None or called.rpartition(".")[2] in _SERVES
            for value in _ports_of(keywords)
        }
        local = _loopback(image, entry, expected)
        if expected and local is not None:
            yield _unreachable("127.0.0.1", local.called, name, [Evidence(entry.path, local.line)])
            return
    if not bound and expected & {*entry.ports, *_named_ports(entry)}:
        yield APP.passed(f"{entry.path} names the port {min(expected)}", name, where)
    elif not expected or not bound or (start.server and start.port is None):
        yield APP.skip("the port that it binds to cannot be told from its source", name, where)
    elif not {value for value, _, _ in bound} & expected:
        value, path, line = min(bound)
        at = [Evidence(path, line)] if path else at_command
        yield APP.fail(f"it binds to {value}, and {min(expected)} is expected", name, at)
    else:
        yield APP.passed(f"it serves at {min(expected)}", name, where)


def _expected(image: Image) -> tuple[set[int], set[int]]:
    """The ports that it has to serve, and those at which someone from outside asks."""
    service, start = image.service, image.start
    published = {*image.launch.published} if image.launch is not None and not image.ports else set()
    expected = {service.port} if service.port is not None else set() if start.file else {*image.ports} or published
    return expected, expected or ({*image.ports} or published if start.file else set())


def _unreachable(host: str, server: str, name: str, at: list[Evidence]) -> Finding:
    message = f"{server} listens at {host}, which only the container itself reaches"
    return APP.fail(message, name, at, remedy="Let it listen at 0.0.0.0.")


def _loopback(image: Image, entry: Source, expected: set[int]) -> Local | None:
    """A call of the script itself that serves what is expected at the container's own loopback address."""
    for each in entry.local:
        told = any(name in image.environment for name in each.variables)
        if not told and (each.port is None or each.port in expected):
            return each
    return None


def _named_ports(entry: Source) -> set[int]:
    return {number for key, number in entry.numbers.items() if "port" in key.lower()}


def _ports_of(keywords: dict[str, object]) -> Iterator[int]:
    for key in ("port", "bind"):
        value = keywords.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
            yield value
        elif isinstance(value, str) and value.rpartition(":")[2].isdigit() and len(value.rpartition(":")[2]) < 6:
            yield int(value.rpartition(":")[2])
