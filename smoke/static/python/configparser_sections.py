"""Sections of files that a module takes as it is loaded: `configparser` itself minds no file that is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.dotted import dotted
from smoke.static.python.imported import imported_names
from smoke.static.python.nodes import below
from smoke.static.python.paths import CodePath, Paths
from smoke.static.python.quiet import parse_quietly

_PARSERS = frozenset(["configparser.ConfigParser", "configparser.RawConfigParser"])
_FILLS = frozenset(["read_dict", "read_string", "read_file", "add_section", "set", "update", "setdefault", "readfp"])


class Sectioned(Struct, frozen=True):
    """A file that has to be there, for a section of it is taken."""

    line: int
    place: CodePath
    section: str


def sectioned(data: bytes) -> Iterator[Sectioned]:
    """The files that parsers at a module's top read, where its statements go on to take a section of them."""
    parsed = parse_quietly(data) if b"configparser" in data else None
    if parsed is None:
        return
    names = imported_names(parsed)
    paths = Paths(parsed.body, imported=names)

    def full(node: ast.expr) -> str:
        first, dot, rest = dotted(node).partition(".")
        return f"{names.get(first, first)}{dot}{rest}"

    parsers: dict[str, tuple[int, CodePath] | None] = {}
    for node in parsed.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and full(node.value.func) in _PARSERS:
            plain = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and not node.value.args
            parsers |= {dotted(node.targets[0]): None} if plain else {}
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If | ast.Try):
            return  # what it does to a parser is not followed
        for each in below(node):
            name, _, method = dotted(each.func).rpartition(".") if isinstance(each, ast.Call) else ("", "", "")
            if name in parsers and isinstance(each, ast.Call) and method in _FILLS:
                parsers.pop(name)
            elif name in parsers and isinstance(each, ast.Call) and method == "read" and len(each.args) == 1:
                place = paths.place(each.args[0]) if parsers[name] is None else None
                parsers = {**parsers, name: (each.lineno, place)} if place is not None else _without(parsers, name)
            elif (found := _taken(each, parsers)) is not None:
                yield found


def _without(parsers: dict[str, tuple[int, CodePath] | None], name: str) -> dict[str, tuple[int, CodePath] | None]:
    return {key: value for key, value in parsers.items() if key != name}


def _taken(node: ast.AST, parsers: dict[str, tuple[int, CodePath] | None]) -> Sectioned | None:
    """`config["section"]` and `config.get("section", "key")`, where neither has something for its absence."""
    owner, key = "", None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        owner, key = dotted(node.value), node.slice
    elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        owner, _, method = dotted(node.func).rpartition(".")
        key = node.args[0] if method in ("get", "getint", "getboolean", "getfloat") else None
    held = parsers.get(owner)
    text = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
    if held is None or not text or text == "DEFAULT":
        return None
    return Sectioned(getattr(node, "lineno", held[0]), held[1], text)
