"""What a program demands of whoever starts it: arguments, and someone who types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec.structs import replace

from smoke.static.checks.evidence import at_source
from smoke.static.checks.loaded import Misused, runs
from smoke.static.python.dotted import call_name
from smoke.static.python.effects import AskedArguments
from smoke.static.python.program import LoadedProgram
from smoke.static.python.quiet import parse_quietly
from smoke.static.python.source import Source
from smoke.static.scope import Scope

_APPS = frozenset({"FastAPI", "Starlette", "Quart", "Litestar", "Flask", "fastapi.FastAPI", "flask.Flask"})


def wanting(scope: Scope, program: LoadedProgram) -> Iterator[Misused]:
    """Arguments that the command does not give, and questions that no one answers."""
    start, graph = program.image.start, program.graph
    launch = program.image.launch
    # A server's command line is its own; a script of a distribution hands it to the function that it calls.
    own = start.calls or (graph.entry_is_main and not start.server)
    if start.alone or not own or (launch is not None and launch.by_hand):
        return
    for path, source in graph.modules.items():
        for effects in graph.effects(path):
            for each in effects.asked:
                known = replace(each, choices=() if _joined_elsewhere(program, path) else each.choices)
                if runs(program, source, each.main) and (clause := _lacking(known, start.arguments)):
                    at = at_source(scope, path, each.line)
                    yield Misused(f"it ends at once: {clause}", at, "Give it in the command.")
            for typed in effects.typed:
                if launch is not None and runs(program, source, typed.main):
                    at = at_source(scope, path, typed.line)
                    yield Misused("it waits for input, and no one types: EOFError", at, "Read it from a variable.")


def ungiven(program: LoadedProgram, entry: Source, names: list[str]) -> str:
    """The parameters without which a factory cannot be called, where the command gives none; empty if it has none."""
    parsed = parse_quietly(program.importer.tree.data(entry.path))
    words = program.image.start.words
    plain = "--factory" in words or any(word.endswith("()") for word in words)
    for node in parsed.body if parsed is not None and plain else ():
        if isinstance(node, ast.FunctionDef) and node.name in names and not node.decorator_list:
            given = [*node.args.posonlyargs, *node.args.args]
            wanted = [each.arg for each in given[: len(given) - len(node.args.defaults)]]
            kept = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            wanted += [each.arg for each, default in kept if default is None]
            by = program.image.start.server
            return f"{node.name} takes {', '.join(wanted)}, and {by} calls it without any" if wanted else ""
    app = next((name for name in names if plain and parsed is not None and _is_app(parsed, name)), "")
    return f"{app} is an app, and {program.image.start.server} is told to call it for one" if app else ""


def _is_app(parsed: ast.Module, name: str) -> bool:
    """Whether a name stands for an app that is made as the module is loaded, by a class or a function of its own."""
    makers = {node.name: node for node in parsed.body if isinstance(node, ast.FunctionDef) and not node.decorator_list}
    called = _called_for(parsed.body, name)
    if called not in makers:
        return called in _APPS
    last = makers[called].body[-1]
    given = last.value if isinstance(last, ast.Return) else None
    return isinstance(given, ast.Name) and _called_for(makers[called].body, given.id) in _APPS


def _called_for(body: list[ast.stmt], name: str) -> str:
    """What is called for the value of a name that some statements set once; empty when that is not plain."""
    values = [
        node.value
        for node in body
        if isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == name for each in node.targets)
    ]
    return call_name(values[0]) if len(values) == 1 and isinstance(values[0], ast.Call) else ""


def uncalled(program: LoadedProgram, entry: Source, names: list[str]) -> str:
    """The factory that a server takes for the WSGI app itself, and calls with two arguments; empty if it is none."""
    start = program.image.start
    if start.server not in _CALLED_AS_APP or "$" in " ".join(start.words):
        return ""
    if any(word.startswith(("-k", "--worker-class", "-c", "--config", "--call")) for word in start.arguments):
        return ""
    parsed = parse_quietly(program.importer.tree.data(entry.path))
    made = [node for node in parsed.body if isinstance(node, ast.FunctionDef)] if parsed is not None else []
    for node in made:
        arguments = node.args
        takes = [*arguments.posonlyargs, *arguments.args, arguments.vararg, arguments.kwarg]
        plain = not node.decorator_list and sum(each.name == node.name for each in made) == 1
        if [node.name] == names and plain and not any(takes) and entry.path.endswith(".py"):
            remedy = f"{node.name}()" if start.server == "gunicorn" else f"--call with {node.name}"
            return f"{node.name} makes the app, and {start.server} takes it for the app: write {remedy}"
    return ""


_CALLED_AS_APP = frozenset({"gunicorn", "waitress", "waitress-serve"})
"""Servers that call what they are given for each request; others try to call a factory first."""


def makes_no_app(program: LoadedProgram, entry: Source) -> bool:
    """Whether a module surely has no app for flask, nor a factory of a name that flask tries."""
    open_ = entry.dynamic or entry.stars or entry.made or entry.given or entry.path.endswith("__init__.py")
    known = {"app", "application", "create_app", "make_app"} & {*entry.names}
    own = (program.importer.find(each.module).source or each.level for each in entry.imports)
    return not (open_ or known or any(own))


def _joined_elsewhere(program: LoadedProgram, path: str) -> bool:
    """Whether another module may add commands to those of a module."""
    tree = program.importer.tree
    added = re.compile(rb"\.(?:command|group|add_command|add_typer)\(|@\w+\.command\b")
    return any(each != path and added.search(tree.data(each)) for each in program.graph.modules)


def _lacking(asked: AskedArguments, arguments: tuple[str, ...]) -> str:
    """What is not given; empty when it may be."""
    if any("$" in each or each.startswith("@") for each in arguments):
        return ""
    if asked.options:
        given = any(
            each == name or each.startswith(f"{name}=") or (not name.startswith("--") and each.startswith(name))
            for each in arguments
            for name in asked.options
        )
        # A long option may be cut short.
        short = any(
            name.startswith(each.partition("=")[0]) for each in arguments for name in asked.options if "-" in each
        )
        return "" if given or short else f"{asked.by} demands {asked.options[-1]}, which the command does not give"
    return _lacking_operands(asked, arguments)


def _lacking_operands(asked: AskedArguments, arguments: tuple[str, ...]) -> str:
    first = arguments[0] if arguments else ""
    if asked.choices and re.fullmatch(r"\w[\w-]*", first) and first not in asked.choices:
        return f"{asked.by} has no command {first}: it has {', '.join(asked.choices[:4])}"
    if len(arguments) >= asked.count:
        return ""
    if asked.what:
        return f"{asked.by} demands {asked.what}, which the command does not give"
    if asked.by == "sys.argv":
        return f"it reads sys.argv[{asked.count}], and the command gives {len(arguments) or 'no'} arguments"
    return f"{asked.by} demands {asked.count} arguments, and the command gives {len(arguments) or 'none'}"
