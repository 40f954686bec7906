"""Files that have the name of a standard module, and break what else imports that module."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from smoke.static.python.graph import Flaw, Graph, ImportProblem
from smoke.static.python.importer import Importer, Meaning
from smoke.static.python.source import Source
from smoke.static.python.standard import has_module

MAX_BYTES = 1 << 19
_LOADED_FIRST = frozenset(
    [
        *["abc", "codecs", "encodings", "genericpath", "io", "os", "posixpath", "site", "stat", "sys", "zipimport"],
        *["builtins", "marshal", "posix", "time", "_collections_abc", "_frozen_importlib", "importlib"],
    ]
)
"""Modules that Python has loaded before it looks at the script's own directory."""
_FRAMEWORKS = frozenset(
    [
        *[
            "aiohttp",
            "boto3",
            "celery",
            "django",
            "fastapi",
            "flask",
            "httpx",
            "pandas",
            "pydantic",
            "quart",
            "requests",
        ],
        *["sqlalchemy", "starlette", "tornado", "uvicorn", "werkzeug", "scrapy", "redis", "pymongo", "streamlit"],
    ]
)
_OF_FRAMEWORKS = {
    "logging": "getLogger", "email": "message", "json": "loads", "types": "ModuleType", "enum": "Enum",
    "typing": "Any", "inspect": "signature", "random": "choice", "queue": "Queue", "socket": "socket", "copy": "copy",
    "datetime": "datetime", "collections": "OrderedDict", "functools": "partial", "contextlib": "contextmanager",
    "urllib": "parse", "threading": "Lock", "string": "ascii_letters", "uuid": "UUID", "decimal": "Decimal",
    "warnings": "warn", "dataclasses": "dataclass", "operator": "attrgetter", "http": "client", "ssl": "SSLContext",
}  # fmt: skip
"""What the well-known frameworks need of each, as they are loaded."""


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
        clause = _breaks(name, importer.source(found.source), standard, outside)
        if clause:
            message = f"it stands before the standard library's module {name}: {clause}"
            graph.problems.append(ImportProblem(found.source, 1, message, flaw=Flaw.SHADOW))


def _eager(graph: Graph) -> list[Source]:
    return [source for path, source in graph.modules.items() if path not in graph.later]


def _breaks(name: str, own: Source, standard: set[str], outside: set[str]) -> str:
    """Who needs what the tree's module lacks, as they are loaded: one clause; empty when no one surely does.

    `standard` and `outside` are the standard and installed modules that the program imports."""
    if name in _LOADED_FIRST or own.dynamic or own.stars or own.error:
        return ""
    framework = next(iter(sorted(outside & _FRAMEWORKS)), "")
    wanted = _OF_FRAMEWORKS.get(name)
    if framework and wanted and wanted not in own.names:
        return f"{framework} needs {wanted} of it"
    for module in _reached(frozenset(standard - {name})):
        parts = (
            [] if own.path.endswith("__init__.py") else [each for each in _loads(module) if each.startswith(f"{name}.")]
        )
        lacking = sorted(needed for needed in _needs(module).get(name, ()) if needed not in own.names)
        if lacking or parts:
            return f"the standard library's {module} needs {(lacking or parts)[0]} of it"
    return ""


def _reached(modules: frozenset[str]) -> list[str]:
    """Standard modules that are loaded with some, in order; those that Python loads first are left out."""
    found: dict[str, None] = {}
    pending = sorted(modules, reverse=True)
    while pending:
        module = pending.pop()
        if module in found or module in _LOADED_FIRST:
            continue
        found[module] = None
        pending += sorted({*_needs(module), *_loads(module)}, reverse=True)
    return list(found)


@cache
def _needs(module: str) -> dict[str, frozenset[str]]:
    """What a standard module imports as it is loaded, with the names that it takes or uses at its top."""
    text = _text(module)
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    top = "\n".join(line for line in text.split("\n") if line[:1] not in (" ", "\t", "#", '"'))
    found: dict[str, set[str]] = {}
    for node in parsed.body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {alias.name for alias in node.names} - {"*"}
            found.setdefault(node.module.partition(".")[0], set()).update(names if "." not in node.module else ())
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                known = alias.asname or first
                used = re.findall(rf"(?<![\w.]){re.escape(known)}\.(\w+)", top)
                found.setdefault(first, set()).update(used if "." not in alias.name else ())
    return {name: frozenset(names) for name, names in found.items() if name in sys.stdlib_module_names}


@cache
def _loads(module: str) -> tuple[str, ...]:
    """Modules in packages that a standard module imports by their whole names as it is loaded."""
    found: set[str] = set()
    for node in _parsed(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return tuple(sorted(each for each in found if "." in each and _text(each)))


@cache
def _parsed(module: str) -> list[ast.stmt]:
    try:
        return ast.parse(_text(module)).body
    except (SyntaxError, ValueError, RecursionError):
        return []


@cache
def _text(module: str) -> str:
    """The source of the host's own standard module; empty when there is none."""
    top, *rest = module.split(".")
    if top not in sys.stdlib_module_names:
        return ""
    library = Path(ast.__file__).parent
    spec = PathFinder.find_spec(module, [str(library.joinpath(top, *rest[:-1]) if rest else library)])
    try:
        path = Path(spec.origin) if spec is not None and spec.origin else None
        if path is None or path.suffix != ".py" or path.stat().st_size > MAX_BYTES:
            return ""
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
