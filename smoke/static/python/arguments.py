"""What a program's own command line demands, as argparse is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.effects import AskedArguments
from smoke.static.python.nodes import below

_MAY_BE_LEFT = frozenset({"?", "*"})


def asked_by(parsed: ast.Module, call: ast.Call, main: bool) -> Iterator[AskedArguments]:
    """The options and operands that the parser of a call `PARSER.parse_args()` demands; none where it is given more
    than plain `add_argument`."""
    parser = call.func.value if isinstance(call.func, ast.Attribute) else None
    name = dotted(parser) if parser is not None else ""
    makers = [
        node.value
        for node in below(parsed)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and dotted(node.targets[0]) == name
    ]
    if not name or len(makers) != 1 or call_name(makers[0]).rpartition(".")[2] != "ArgumentParser":
        return
    if {"parents", "fromfile_prefix_chars", None} & {
        each.arg for each in (makers[0].keywords if isinstance(makers[0], ast.Call) else [])
    }:
        return
    operands, line = 0, 0
    for node in below(parsed):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Attribute)
            or dotted(node.func.value) != name
        ):
            continue
        if node.func.attr == "add_subparsers" and _is({e.arg: e.value for e in node.keywords}.get("required"), True):
            yield AskedArguments(node.lineno, "the command line", what="a command", main=main)
        if node.func.attr in ("add_subparsers", "set_defaults", "parse_known_args", "add_mutually_exclusive_group"):
            return
        if node.func.attr != "add_argument":
            continue
        names = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        told = {each.arg: each.value for each in node.keywords}
        if not names or len(names) < len(node.args) or None in told:
            return
        if names[0].startswith("-"):
            if _is(told.get("required"), True):
                yield AskedArguments(line=node.lineno, by="the command line", options=tuple(names), count=1, main=main)
        elif not _is(told.get("nargs"), *_MAY_BE_LEFT) and "nargs" not in told and "default" not in told:
            operands, line = operands + 1, node.lineno
    if operands:
        yield AskedArguments(line=line, by="the command line", options=(), count=operands, main=main)


def _is(node: ast.expr | None, *values: object) -> bool:
    return isinstance(node, ast.Constant) and node.value in values
