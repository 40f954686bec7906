"""Paths that a module spells out as it is loaded, worked out from its constants and its own place."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below

_DEEP = 12
_JOINS = frozenset({"os.path.join", "path.join", "posixpath.join", "join"})
_SAME = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expandvars", "str", "os.fspath",
                   "abspath", "realpath", "normpath"})  # fmt: skip
_PATHS = frozenset({"Path", "pathlib.Path", "PurePath", "pathlib.PurePath", "PosixPath", "pathlib.PosixPath"})
_FILES = frozenset({"importlib.resources.files", "importlib_resources.files"})
_READS = frozenset({"os.getenv", "os.environ.get"})
_DIRECTORIES = frozenset({"os.path.dirname", "path.dirname", "posixpath.dirname", "dirname"})


class CodePath(Struct, frozen=True):
    """A path, from the module's own file (`of_file`) or from the working directory."""

    text: str
    of_file: bool = False
    package: str = ""
    """A package that it starts from instead, by its dotted name."""
    variable: str = ""
    """A variable of the environment that it starts with."""

    def absolute(self, file: str, directory: str) -> str:
        """The path in an image, where the module is `file` and the working directory is `directory`."""
        return posixpath.normpath(posixpath.join(file if self.of_file else directory, self.text))


class Bound(Struct, frozen=True):
    """What a parameter is given, as its caller sees it."""

    place: CodePath
    path: bool
    """Whether it is a pathlib path."""


class Paths:
    """The constants of a module or function that are paths or text, where each has one value only."""

    def __init__(
        self,
        body: Sequence[ast.stmt],
        given: Mapping[str, ast.expr | Bound] | None = None,
        imported: Mapping[str, str] | None = None,
    ) -> None:
        self._imported = imported or {}
        self._values: dict[str, ast.expr | Bound] = {}
        ambiguous: set[str] = set()
        for node in statements(body):
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign | ast.AugAssign):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.For):
                targets = [node.target]
            for target in targets:
                for each in below(target):
                    if not isinstance(each, ast.Name):
                        continue
                    if (
                        each.id in self._values
                        or target is not each
                        or value is None
                        or isinstance(node, ast.AugAssign)
                    ):
                        ambiguous.add(each.id)
                    else:
                        self._values[each.id] = value
        for name in ambiguous:
            self._values.pop(name, None)
        for name, known in (given or {}).items():
            if name not in self._values and name not in ambiguous:
                self._values[name] = known

    def within(self, body: Sequence[ast.stmt], own: set[str], arguments: Mapping[str, ast.expr]) -> Paths:
        """The same in a function that is called with some arguments: its own names hide the module's."""
        given = {name: value for name, value in self._values.items() if name not in own}
        stored = {
            each.id
            for node in statements(body)
            for each in below(node)
            if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
        }
        for name, value in arguments.items():
            if name in stored:
                continue
            known = self.expression(value)
            if isinstance(known, ast.Constant):
                given[name] = known
            elif (place := self.place(value)) is not None:
                given[name] = Bound(place, self.is_path(value))
        inner = Paths(body, given, self._imported)
        for name in arguments.keys() & stored:
            inner._values.pop(name, None)
        return inner

    def expression(self, node: ast.expr) -> ast.expr:
        """What a name stands for; another expression is its own answer."""
        known = self._values.get(node.id, node) if isinstance(node, ast.Name) else node
        return node if isinstance(known, Bound) else known

    def place(self, node: ast.expr) -> CodePath | None:
        """The path that an expression comes to; none when it cannot be told."""
        return self._place(node, _DEEP)

    def is_path(self, node: ast.expr) -> bool:
        """Whether an expression is a pathlib path, as far as can be seen."""
        known = self._values.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(known, Bound):
            return known.path
        node = self.expression(node)
        return (
            isinstance(node, ast.BinOp)
            or (isinstance(node, ast.Attribute) and node.attr == "parent")
            or (isinstance(node, ast.Call) and dotted(node.func) in _PATHS)
            or (isinstance(node, ast.Call) and self._full(dotted(node.func)) in _FILES)
            or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and self.is_path(node.func.value))
        )

    def _place(self, node: ast.expr, depth: int) -> CodePath | None:  # noqa: PLR0911, PLR0912 - a case a form
        if depth == 0:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return CodePath(text) if text and "\0" not in text and not text.startswith("~") else None
            case ast.Name(id="__file__"):
                return CodePath("", of_file=True)
            case ast.Name(id=name):
                known = self._values.get(name)
                if isinstance(known, Bound):
                    return known.place
                return self._place(known, depth - 1) if known is not None else None
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined([left, right], depth)
            case ast.Attribute(value=value, attr="parent"):
                return _above(self._place(value, depth - 1), 1)
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(count))):
                return _above(self._place(value, depth - 1), count + 1) if 0 <= count < 20 else None
            case ast.Call(func=ast.Attribute(value=value, attr="resolve" | "absolute"), args=[]):
                return self._place(value, depth - 1)
            case ast.Call(func=ast.Attribute(value=value, attr="joinpath"), args=args):
                return self._joined([value, *args], depth)
            case ast.Call(func=ast.Attribute(value=value, attr="with_name"), args=[ast.Constant(value=str(name))]):
                above = _above(self._place(value, depth - 1), 1)
                return None if above is None else replace(above, text=posixpath.join(above.text, name))
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                return CodePath("", variable=name) if self._full(dotted(value)) == "os.environ" else None
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if (
                self._full(dotted(function)) in _READS and not node.keywords
            ):
                return CodePath("", variable=name)
            case ast.Call(func=function, args=args) if self._full(dotted(function)) in _FILES:
                return self._package(args[0] if args else None)
            case ast.Call(func=function, args=args) if not node.keywords:
                return self._called(dotted(function), args, depth)
        return None

    def _full(self, name: str) -> str:
        first, dot, rest = name.partition(".")
        return f"{self._imported.get(first, first)}{dot}{rest}"

    def _package(self, node: ast.expr | None) -> CodePath | None:
        """The directory of a package as `importlib.resources.files` gives it."""
        if isinstance(node, ast.Name) and node.id in ("__package__", "__spec__"):
            return CodePath("..", of_file=True)
        known = self.expression(node) if node is not None else None
        text = known.value if isinstance(known, ast.Constant) else None
        plain = isinstance(text, str) and all(part.isidentifier() for part in text.split("."))
        return CodePath("", package=str(text)) if plain else None

    def _called(self, name: str, args: list[ast.expr], depth: int) -> CodePath | None:
        if name in ("os.getcwd", "Path.cwd", "pathlib.Path.cwd") and not args:
            return CodePath(".")
        if name in _PATHS:
            return self._joined(args, depth) if args else CodePath(".")
        if name in _JOINS and args:
            return self._joined(args, depth)
        if name in _DIRECTORIES and len(args) == 1:
            return _above(self._place(args[0], depth - 1), 1)
        if name in _SAME and len(args) == 1:
            return self._place(args[0], depth - 1)
        return None

    def _joined(self, parts: list[ast.expr], depth: int) -> CodePath | None:
        places = [self._place(part, depth - 1) for part in parts]
        joined: CodePath | None = None
        for each in places:
            if each is None:
                return None
            if each.variable and joined is not None:
                return None
            if joined is None or each.of_file or each.package or each.text.startswith("/"):
                joined = each
            else:
                joined = replace(joined, text=posixpath.join(joined.text, each.text))
        return joined


def _above(place: CodePath | None, levels: int) -> CodePath | None:
    return None if place is None else replace(place, text=posixpath.join(place.text, *[".."] * levels))


_BLOCKS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar),
    ast.Match,
)
"""Statements that hold others which run with them."""


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that loading a module may run, those in blocks too: not those of functions and classes."""
    for node in body:
        yield node
        if not isinstance(node, _BLOCKS):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, name, ()))
        for handler in getattr(node, "handlers", ()):
            yield from statements(handler.body)
        for case in getattr(node, "cases", ()):
            yield from statements(case.body)


def constants(node: ast.expr) -> list[tuple[int, str]]:
    """The text constants of a literal list or tuple, or of a sum of such; of a single constant that one."""
    match node:
        case ast.Constant(value=str(text)):
            return [(node.lineno, text)]
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [each for element in elements for each in constants(element)]
        case ast.Starred(value=value):
            return constants(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return constants(left) + constants(right)
    return []
