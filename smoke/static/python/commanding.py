"""What click and typer demand of a command line: a command, arguments, options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.python.bindings import Bindings
from smoke.static.python.called import Function
from smoke.static.python.dotted import dotted
from smoke.static.python.effects import AskedArguments

_COMMAND = "a command"
_FILLED = frozenset({"default", "envvar", "prompt", "cls", "nargs", "is_flag", "count", "default_factory", "callback"})
"""What may give a parameter its value though the command line does not."""


class _Typer(Struct):
    """An app of typer's, as far as its module tells."""

    commands: list[Function] = field(default_factory=list)
    several: bool = False
    """Whether it has commands surely, so that one of them must be named."""
    unknown: bool = False
    joined: bool = False
    """Whether it has commands of other apps too."""


class CommandLines:
    """What calls of a module's own commands demand, by the names of these."""

    def __init__(self, parsed: ast.Module, data: bytes, bindings: Bindings, plain: set[str]) -> None:
        self.bindings = bindings
        self.asked: dict[str, list[AskedArguments]] = {}
        self.functions: dict[str, Function] = {}
        if b"click" not in data and b"typer" not in data:
            return
        given = b"auto_envvar_prefix" in data or b"default_map" in data
        self.functions = {each.name: each for each in parsed.body if isinstance(each, Function) and each.name in plain}
        for function in self.functions.values():
            found = self._of_click(function)
            if found is not None:
                named = self._named_below(function.name, data)
                self.asked[function.name] = [
                    replace(each, choices=named if each.what else ()) for each in found if not (each.options and given)
                ]
        for name, app in self._apps(parsed, plain).items():
            more = self._calls(name, data) != len(app.commands)
            self.asked[name] = [] if app.unknown or more else self._of_typer(app, name)

    def of(self, node: ast.Call, name: str, main: bool) -> Iterator[AskedArguments]:
        """What a call without arguments of its own demands; `name` is what it calls."""
        if node.args or any(each.arg in ("args", "standalone_mode", None) for each in node.keywords):
            first = node.args[0] if len(node.args) == 1 and not node.keywords else None
            if name == "typer.run" and isinstance(first, ast.Name):
                yield from self._run(first.id, node.lineno, main)
            return
        for each in self.asked.get(name.removesuffix(".main"), ()):
            yield replace(each, main=main)

    # -- click ---------------------------------------------------------------------------------------------------

    def _of_click(self, function: Function) -> list[AskedArguments] | None:
        """What a function demands as a command of click's; none when it is not one."""
        found: list[AskedArguments] = []
        kind, operands = "", 0
        for decorator in function.decorator_list:
            made = decorator if isinstance(decorator, ast.Call) else None
            name = self.bindings.full(dotted(made.func if made is not None else decorator))
            told = {each.arg: each.value for each in made.keywords} if made is not None else {}
            if name in ("click.group", "click.command"):
                if None in told or "cls" in told:
                    return None
                kind = "" if _may_be(told.get("invoke_without_command")) else name
                continue
            if not name.startswith("click."):
                return None  # another decorator may fill anything in
            if made is None:
                continue
            names = tuple(each.value for each in made.args if isinstance(each, ast.Constant))
            if name == "click.option" and _is(told.get("required"), True) and not (_FILLED | {None}) & told.keys():
                found.append(AskedArguments(made.lineno, "the command line", tuple(map(str, names)), 1))
            plain = name == "click.argument" and "required" not in told and not (_FILLED | {None}) & told.keys()
            operands += plain
        if not kind:
            return None
        if kind == "click.group":
            return [AskedArguments(function.lineno, f"the group {function.name}", what=_COMMAND)]
        if operands:
            found.append(AskedArguments(function.lineno, "the command line", (), operands))
        return found

    def _calls(self, owner: str, data: bytes) -> int:
        """How often a text speaks of a command of an app or a group."""
        return len(re.findall(rb"\b%s\.(?:command|group)\b" % owner.encode(), data))

    def _marks(self, owner: str) -> int:
        """How many functions are marked as one."""
        marks = [
            dotted(getattr(mark, "func", mark)) for each in self.functions.values() for mark in each.decorator_list
        ]
        return sum(mark in (f"{owner}.command", f"{owner}.group") for mark in marks)

    def _named_below(self, group: str, data: bytes) -> tuple[str, ...]:
        """Names of the commands of a group; none where it may get more than are seen here."""
        if b"add_command" in data or b"cls=" in data or self._calls(group, data) != self._marks(group):
            return ()
        found: list[str] = []
        for function in self.functions.values():
            for decorator in function.decorator_list:
                made = decorator if isinstance(decorator, ast.Call) else None
                owner, _, method = dotted(made.func if made is not None else decorator).rpartition(".")
                if owner != group or method not in ("command", "group"):
                    continue
                name = _command_name(function.name, made)
                if not name:
                    return ()
                # Since 8.2 click takes such an ending away.
                found += [name, re.sub(r"-(?:command|cmd|group|grp)$", "", name)]
        return tuple(dict.fromkeys(found))

    # -- typer ---------------------------------------------------------------------------------------------------

    def _apps(self, parsed: ast.Module, plain: set[str]) -> dict[str, _Typer]:
        """The module's own apps, with the functions that are their commands."""
        found: dict[str, _Typer] = {}
        for node in parsed.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Call):
                name = dotted(node.targets[0])
                if name in plain and self.bindings.full(dotted(node.value.func)) == "typer.Typer":
                    told = {each.arg for each in node.value.keywords}
                    odd = {"invoke_without_command", "callback", "cls", "context_settings", None}
                    found[name] = _Typer(unknown=bool(told & odd))
            elif isinstance(node, Function):
                for decorator in node.decorator_list:
                    self._decorated(node, decorator, found)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                owner, _, method = dotted(node.value.func).rpartition(".")
                if owner in found and method == "add_typer":
                    found[owner].several = found[owner].joined = True
        return found

    def _decorated(self, function: Function, decorator: ast.expr, apps: dict[str, _Typer]) -> None:
        made = decorator if isinstance(decorator, ast.Call) else None
        owner, _, method = dotted(made.func if made is not None else decorator).rpartition(".")
        if owner not in apps:
            return
        if method == "command":
            apps[owner].commands.append(function)
            apps[owner].several = apps[owner].several or len(apps[owner].commands) > 1
        elif method == "callback":
            told = {each.arg: each.value for each in made.keywords} if made is not None else {}
            apps[owner].several = True
            if None in told or "cls" in told or _may_be(told.get("invoke_without_command")):
                apps[owner].unknown = True

    def _of_typer(self, app: _Typer, name: str) -> list[AskedArguments]:
        if app.several and app.commands:
            names = [_command_name(each.name, _decorator(each, name)) for each in app.commands]
            choices = tuple(names) if all(names) and not app.joined else ()
            return [AskedArguments(app.commands[0].lineno, f"the app {name}", what=_COMMAND, choices=choices)]
        return self._parameters(app.commands[0]) if len(app.commands) == 1 else []

    def _run(self, name: str, line: int, main: bool) -> Iterator[AskedArguments]:
        """`typer.run(FUNCTION)`."""
        function = self.functions.get(name)
        for each in self._parameters(function) if function is not None else ():
            yield replace(each, line=line, main=main)

    def _parameters(self, function: Function) -> list[AskedArguments]:
        """Parameters of a command of typer's that have no default: they are operands."""
        arguments = function.args
        if len(function.decorator_list) > 1 or arguments.vararg or arguments.kwonlyargs:
            return []
        bare = arguments.args[: len(arguments.args) - len(arguments.defaults)]
        demanded = [each for each in bare if isinstance(each.annotation, ast.Name) and each.annotation.id in _PLAIN]
        if not demanded:
            return []
        return [AskedArguments(function.lineno, "the command line", (), len(demanded))]


def _decorator(function: Function, app: str) -> ast.Call | None:
    made = (each for each in function.decorator_list if isinstance(each, ast.Call))
    return next((each for each in made if dotted(each.func) == f"{app}.command"), None)


def _command_name(function: str, made: ast.Call | None) -> str:
    """The name of a command: the one it is given, or its function's with dashes; empty where it cannot be told."""
    told = {each.arg: each.value for each in made.keywords} if made is not None else {}
    given = told.get("name") or (made.args[0] if made is not None and made.args else None)
    if None in told or (given is not None and not isinstance(given, ast.Constant)):
        return ""
    return str(given.value) if isinstance(given, ast.Constant) and given.value else function.lower().replace("_", "-")


_PLAIN = frozenset({"str", "int", "float"})
"""Types whose parameters are operands with nothing to fill them in."""


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _may_be(node: ast.expr | None) -> bool:
    """Whether an option that is off by default may be on."""
    return node is not None and not _is(node, False)
