"""Paths that a module spells out as it is loaded, worked out from its constants and its own place."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smoke.static.python.conditions import dotted

_DEEP = 12
_JOINS = frozenset({"os.path.join", "path.join", "posixpath.join", "join"})
_SAME = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.path.expandvars", "str", "os.fspath",
                   "abspath", "realpath", "normpath"})  # fmt: skip
_PATHS = frozenset({"Path", "pathlib.Path", "PurePath", "pathlib.PurePath", "PosixPath", "pathlib.PosixPath"})
_DIRECTORIES = frozenset({"os.path.dirname", "path.dirname", "posixpath.dirname", "dirname"})


@dataclass(frozen=True)
class Place:
    """A path, from the module's own file (`of_file`) or from the working directory."""

    text: str
    of_file: bool = False

    def absolute(self, file: str, directory: str) -> str:
        """The path in an image, where the module is `file` and the working directory is `directory`."""
        return posixpath.normpath(posixpath.join(file if self.of_file else directory, self.text))


class Paths:
    """The constants of a module that are paths or text, where each has one value only."""

    def __init__(self, parsed: ast.Module) -> None:
        self._values: dict[str, ast.expr] = {}
        ambiguous: set[str] = set()
        for node in statements(parsed.body):
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign | ast.AugAssign):
                targets, value = [node.target], node.value
            elif isinstance(node, ast.For):
                targets = [node.target]
            for target in targets:
                for each in ast.walk(target):
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

    def expression(self, node: ast.expr) -> ast.expr:
        """What a name stands for; another expression is its own answer."""
        return self._values.get(node.id, node) if isinstance(node, ast.Name) else node

    def place(self, node: ast.expr) -> Place | None:
        """The path that an expression comes to; none when it cannot be told."""
        return self._place(node, _DEEP)

    def is_path(self, node: ast.expr) -> bool:
        """Whether an expression is a pathlib path, as far as can be seen."""
        node = self.expression(node)
        return (
            isinstance(node, ast.BinOp)
            or (isinstance(node, ast.Attribute) and node.attr == "parent")
            or (isinstance(node, ast.Call) and dotted(node.func) in _PATHS)
            or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and self.is_path(node.func.value))
        )

    def _place(self, node: ast.expr, depth: int) -> Place | None:  # noqa: PLR0911 - a case a form
        if depth == 0:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return Place(text) if text and "\0" not in text and not text.startswith("~") else None
            case ast.Name(id="__file__"):
                return Place("", of_file=True)
            case ast.Name(id=name):
                return self._place(self._values[name], depth - 1) if name in self._values else None
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
            case ast.Call(func=function, args=args) if not node.keywords:
                return self._called(dotted(function), args, depth)
        return None

    def _called(self, name: str, args: list[ast.expr], depth: int) -> Place | None:
        if name in ("os.getcwd", "Path.cwd", "pathlib.Path.cwd") and not args:
            return Place(".")
        if name in _PATHS:
            return self._joined(args, depth) if args else Place(".")
        if name in _JOINS and args:
            return self._joined(args, depth)
        if name in _DIRECTORIES and len(args) == 1:
            return _above(self._place(args[0], depth - 1), 1)
        if name in _SAME and len(args) == 1:
            return self._place(args[0], depth - 1)
        return None

    def _joined(self, parts: list[ast.expr], depth: int) -> Place | None:
        places = [self._place(part, depth - 1) for part in parts]
        joined: Place | None = None
        for each in places:
            if each is None:
                return None
            if joined is None or each.of_file or each.text.startswith("/"):
                joined = each
            else:
                joined = Place(posixpath.join(joined.text, each.text), joined.of_file)
        return joined


def _above(place: Place | None, levels: int) -> Place | None:
    return None if place is None else Place(posixpath.join(place.text, *[".."] * levels), place.of_file)


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that loading a module may run, those in blocks too: not those of functions and classes."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
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
