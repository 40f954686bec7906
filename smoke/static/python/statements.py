"""What the statements of a module say: its imports and what stands around them, its names, its calls."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.python.around import catches_imports
from smoke.static.python.conditions import Truth, Version, decide
from smoke.static.python.constant import constant
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below
from smoke.static.python.source import Import, Source

_MAKES_NAMES = frozenset({"exec", "globals", "locals", "vars", "execfile", "inject_into_globals"})
"""Calls after which a module can have any name."""
_PLAIN_CALLS = frozenset(
    {"getLogger", "getenv", "get", "get_logger", "namedtuple", "compile", "join", "dirname", "abspath", "resolve"}
)
"""Calls that are not work of a script: what they give is used later or never."""


class _Place(Struct, frozen=True):
    """What stands between loading the module and a statement."""

    caught: bool = False
    lazy: bool = False
    main: bool = False
    attempt: int = 0
    instead: int = 0
    other: bool = False
    top: bool = True
    """Whether names made here are the module's own."""


class StatementReader:
    """Walks the statements in order."""

    def __init__(self, source: Source, version: Version | None, deep: bool) -> None:
        self.source, self.deep = source, deep
        self.version = version
        self.tries = 0

    def read(self, parsed: ast.Module) -> None:
        """Read a whole module."""
        body = parsed.body
        self.source.empty = all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in body)
        self._block(body, _Place())

    def _block(self, body: Sequence[ast.stmt], place: _Place) -> None:
        for statement in body:
            self._statement(statement, place)

    def _statement(self, node: ast.stmt, place: _Place) -> None:  # noqa: PLR0912 - a case a statement
        match node:
            case ast.Import(names=names):
                for alias in names:
                    self._import(Import(node.lineno, alias.name), place)
                    self._name(alias.asname or alias.name.partition(".")[0], node.lineno, place)
            case ast.ImportFrom(module=module, names=names, level=level):
                found = Import(node.lineno, module or "", level, tuple(alias.name for alias in names))
                self._import(found, place)
                for alias in names:
                    self._name(alias.asname or alias.name, node.lineno, place)
            case ast.If(test=test, body=body, orelse=orelse):
                self._if(test, body, orelse, place)
            case ast.Try() | ast.TryStar():
                self._try(node, place)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._name(node.name, node.lineno, place)
                if node.name == "__getattr__" and place.top:
                    self.source.dynamic = True
                self._expressions(node, place)
                self._block(node.body, _inside(place, lazy=True, top=False))
            case ast.ClassDef():
                self._name(node.name, node.lineno, place)
                self._block(node.body, _inside(place, top=False))
            case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
                self._compound(node, place)
            case ast.Match(cases=cases):
                if not place.lazy and place.top:
                    self.source.main = True
                for case in cases:
                    self._captures(case.pattern, place)
                    self._block(case.body, _inside(place, caught=True))
            case ast.Global(names=names):
                for name in names:
                    self.source.names.setdefault(name, node.lineno)
            case _:
                self._simple(node, place)

    def _captures(self, pattern: ast.pattern, place: _Place) -> None:
        for each in below(pattern):
            name = getattr(each, "name", None) or getattr(each, "rest", None)
            if isinstance(name, str):
                self._name(name, pattern.lineno, place)

    def _if(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], place: _Place) -> None:
        answer = decide(test, self.version)
        if answer is Truth.MAIN and not place.lazy:
            self.source.main = True
        if answer is not Truth.NO:
            caught = place.caught or answer is Truth.UNKNOWN
            main = place.main or answer is Truth.MAIN
            self._block(body, _inside(place, caught=caught, main=main, other=place.other or answer is Truth.NOT_MAIN))
        if answer is not Truth.YES:
            caught = place.caught or answer is Truth.UNKNOWN
            # The `else` of a main guard runs in every module but the one that Python was started with.
            main = place.main or answer is Truth.NOT_MAIN
            self._block(orelse, _inside(place, caught=caught, main=main, other=place.other or answer is Truth.MAIN))

    def _try(self, node: ast.Try | ast.TryStar, place: _Place) -> None:
        catching = [handler for handler in node.handlers if catches_imports(handler)]
        self.tries += 1
        number = self.tries
        inside = _inside(place, caught=True, attempt=number) if catching else place
        self._block(node.body, inside)
        self._block(node.orelse, inside)
        for handler in node.handlers:
            if handler.name:
                self._name(handler.name, handler.lineno, place)
            instead = number if handler in catching and not place.caught else place.instead
            self._block(handler.body, _inside(place, instead=instead, caught=place.caught or handler not in catching))
        self._block(node.finalbody, place)

    def _compound(self, node: ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith, place: _Place) -> None:
        if place.top and not place.lazy:
            self.source.main = True
        if isinstance(node, ast.For | ast.AsyncFor):
            self._target(node.target, place)
        if isinstance(node, ast.With | ast.AsyncWith):
            suppresses = any(
                isinstance(item.context_expr, ast.Call) and dotted(item.context_expr.func).endswith("suppress")
                for item in node.items
            )
            for item in node.items:
                if item.optional_vars is not None:
                    self._target(item.optional_vars, place)
            self._block(node.body, _inside(place, caught=place.caught or suppresses))
            return
        self._block(node.body, _inside(place, caught=True))
        self._block(node.orelse, place)

    def _simple(self, node: ast.stmt, place: _Place) -> None:
        if place.lazy and not self.deep:
            return
        targets: list[ast.expr] = []
        value: ast.expr | None = None
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign):
            targets, value = ([node.target] if node.value is not None else []), node.value
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif hasattr(ast, "TypeAlias") and isinstance(node, ast.TypeAlias):
            targets = [node.name]
        for target in targets:
            self._target(target, place)
            self._changes(target, place)
            if isinstance(target, ast.Name) and place.top:
                self._assigned(target.id, value)
            elif isinstance(target, ast.Name) and "port" in target.id.lower() and value is not None:
                number = constant(value, self.source.numbers)
                if isinstance(number, int):
                    self.source.ports.add(number)
        if place.top and not place.lazy and self._works(node):
            self.source.main = True
        self._expressions(node, place)

    def _works(self, node: ast.stmt) -> bool:
        """Whether a statement at the top of a script is work: a call whose outcome is more than a thing made."""
        if isinstance(node, ast.Expr):
            return not isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Assert | ast.Raise | ast.Delete):
            return True
        calls = [each for each in below(node) if isinstance(each, ast.Call | ast.Await)]
        names = [_called(each) for each in calls if isinstance(each, ast.Call)]
        return any(isinstance(each, ast.Await) for each in calls) or any(
            not (name[:1].isupper() or name in _PLAIN_CALLS) for name in names
        )

    def _changes(self, target: ast.expr, place: _Place) -> None:
        """Note what an assignment does to `sys.modules`, `sys.path` or the attributes of other objects."""
        if isinstance(target, ast.Name) and target.id != "__path__":
            return
        for each in below(target):
            name = dotted(each) if isinstance(each, ast.Attribute) else ""
            if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) and not place.lazy:
                self.source.given.add(each.attr)
            if name == "sys.modules":
                self.source.dynamic = True
            elif name in ("sys.path", "sys.meta_path", "sys.path_hooks") or name.endswith(".__path__"):
                self.source.moves_path = True
            if isinstance(each, ast.Name) and each.id == "__path__":
                self.source.moves_path = True
            if isinstance(each, ast.Attribute) and each.attr in ("__dict__", "__class__"):
                self.source.dynamic = True

    def _assigned(self, name: str, value: ast.expr | None) -> None:
        if isinstance(value, ast.Call):
            self.source.made[name] = _called(value)
        if name == "__all__" and isinstance(value, ast.List | ast.Tuple):
            words = [each.value for each in value.elts if isinstance(each, ast.Constant)]
            if len(words) == len(value.elts):
                self.source.exports = tuple(str(word) for word in words)
        number = constant(value, {}) if value is not None else None
        if isinstance(number, int):
            self.source.numbers[name] = number

    def _expressions(self, node: ast.AST, place: _Place) -> None:
        """Calls and walrus targets within one statement; of functions their decorators and defaults only."""
        if place.lazy and not self.deep:
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            roots: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
        else:
            roots = [node]
        for root in roots:
            for each in below(root):
                if isinstance(each, ast.Call):
                    self._call(each, place)
                elif isinstance(each, ast.NamedExpr):
                    self._target(each.target, place)

    def _call(self, node: ast.Call, place: _Place) -> None:
        name = dotted(node.func) or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
        last = name.rpartition(".")[2]
        keywords = {each.arg: constant(each.value, self.source.numbers) for each in node.keywords if each.arg}
        if name in _MAKES_NAMES or (name == "setattr" and node.args and not _own(node.args[0])):
            self.source.dynamic = True
        if (
            name.startswith(("sys.path.", "sys.meta_path.", "sys.path_hooks.", "site.addsitedir"))
            or last == "addsitedir"
        ):
            self.source.moves_path = True
        if (
            (last == "import_module" or name == "__import__")
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
        ):
            module = str(node.args[0].value)
            if module and not module.startswith(".") and not place.lazy:
                self._import(Import(node.lineno, module), place)
        if name == "sys.modules.update" or last in ("extend_path", "install_import_hook"):
            self.source.dynamic = self.source.moves_path = True
        if (
            last in ("run", "serve", "run_app", "serve_forever", "listen", "start_server")
            or {"port", "bind"} & keywords.keys()
        ):
            positional = {str(place): constant(each, self.source.numbers) for place, each in enumerate(node.args[:2])}
            if any(each.arg is None for each in node.keywords) or any(
                isinstance(each, ast.Starred) for each in node.args
            ):
                positional["**"] = True
            self.source.calls.append((node.lineno, name, {**positional, **keywords}))

    def _import(self, found: Import, place: _Place) -> None:
        placed = Import(
            line=found.line,
            module=found.module,
            level=found.level,
            names=found.names,
            caught=place.caught,
            lazy=place.lazy,
            main=place.main,
            attempt=place.attempt,
            instead=place.instead,
            other=place.other,
        )
        if found.module == "__future__":
            return
        self.source.imports.append(placed)
        if "*" in found.names and place.top and not place.main:
            self.source.stars.append(placed)

    def _name(self, name: str, line: int, place: _Place) -> None:
        if place.top and not place.main:
            self.source.names.setdefault(name, line)

    def _target(self, node: ast.expr, place: _Place) -> None:
        if isinstance(node, ast.Name):  # nearly all are
            self._name(node.id, node.lineno, place)
            return
        for each in below(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                self._name(each.id, each.lineno, place)


def _inside(place: _Place, **fields: bool | int) -> _Place:
    return replace(place, **fields)


def _called(node: ast.Call) -> str:
    name = dotted(node.func) or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    return name.rpartition(".")[2]


def _own(node: ast.expr) -> bool:
    """Whether an object is one that a method has in its hands, and so no module."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls", "obj", "instance")
