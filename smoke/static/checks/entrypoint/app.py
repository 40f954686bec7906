"""`entrypoint.app`: there is something to serve."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Evidence, Finding
from smoke.static.checks.entrypoint.port import APP, judge_port
from smoke.static.checks.given import makes_no_app, uncalled, ungiven, wanting
from smoke.static.model.image import Image
from smoke.static.python.importer import Meaning
from smoke.static.python.program import LoadedProgram
from smoke.static.python.source import Source
from smoke.static.scope import Scope

_ASGI = frozenset({"FastAPI", "Starlette", "Quart", "Litestar", "Sanic", "BlackSheep", "get_asgi_application"})
_WSGI = frozenset({"Flask", "Bottle", "get_wsgi_application"})
"""Classes of frameworks, and functions of Django's, by the interface that their apps have."""


def judge_app(scope: Scope, program: LoadedProgram, entry: Source) -> Iterator[Finding]:
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
        yield from judge_port(program, entry, where)


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
