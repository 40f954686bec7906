"""Expressions that a version of Python cannot evaluate, among them annotations."""

from __future__ import annotations

import ast
from collections.abc import Callable

from smoke.static.python.conditions import Version
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below

_GENERIC = frozenset({"list", "dict", "set", "tuple", "frozenset", "type"})
_BUILTIN = frozenset({"int", "str", "float", "bool", "bytes", "list", "dict", "set", "tuple"})
_SINCE_39 = frozenset(
    [
        *["collections.OrderedDict", "collections.defaultdict", "collections.deque", "collections.Counter"],
        *["collections.ChainMap", "re.Pattern", "re.Match", "os.PathLike", "queue.Queue", "asyncio.Queue"],
        *["asyncio.Future", "asyncio.Task", "contextlib.AbstractContextManager", "subprocess.Popen"],
        *["contextlib.AbstractAsyncContextManager", "concurrent.futures.Future", "functools.partial"],
    ]
)
"""Classes of the standard library that take type arguments since Python 3.9; those of collections.abc do, too."""
_KEYWORDS: dict[str, dict[str, Version]] = {
    "dataclasses.dataclass": {"slots": (3, 10), "kw_only": (3, 10), "match_args": (3, 10), "weakref_slot": (3, 11)},
    "dataclasses.field": {"kw_only": (3, 10), "doc": (3, 14)},
    "zip": {"strict": (3, 10)},
    "map": {"strict": (3, 14)},
    "typing.TypeVar": {"default": (3, 13), "infer_variance": (3, 12)},
    "typing.ParamSpec": {"default": (3, 13)},
    "typing.TypeVarTuple": {"default": (3, 13)},
    "asyncio.run": {"loop_factory": (3, 12)},
    "logging.basicConfig": {"encoding": (3, 9), "errors": (3, 9), "force": (3, 8)},
    "argparse.ArgumentParser": {"exit_on_error": (3, 9), "suggest_on_error": (3, 14), "color": (3, 14)},
    "itertools.batched": {"strict": (3, 13)},
    "sum": {"start": (3, 8)},
    "pow": {"exp": (3, 8), "base": (3, 8), "mod": (3, 8)},
}
"""Keyword arguments with the version that they came with (docs.python.org, "Changed in version")."""


def refused_annotation(annotation: ast.expr, version: Version) -> str:
    """Why a version of Python cannot evaluate an annotation; empty when nothing speaks against it."""
    for each in below(annotation):
        if isinstance(each, ast.BinOp) and isinstance(each.op, ast.BitOr) and _text_and_none(each.left, each.right):
            return "a text and None make no union: the whole annotation belongs in quotes"
    if version >= (3, 10):
        return ""  # nothing below is refused any more
    for each in below(annotation):
        match each:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right) if version < (3, 10):
                if _is_builtin(left) or _is_builtin(right):
                    return "a union written with | is evaluated, which needs Python 3.10"
            case ast.Subscript(value=ast.Name(id=name)) if version < (3, 9) and name in _GENERIC:
                return f"{name}[...] is evaluated, which needs Python 3.9"
    return ""


def _text_and_none(left: ast.expr, right: ast.expr) -> bool:
    """Whether one is a text and the other None, which have no `|` in any version."""
    values = [each.value for each in (left, right) if isinstance(each, ast.Constant)]
    return len(values) == 2 and None in values and any(isinstance(each, str) for each in values)


def _is_builtin(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id in _BUILTIN


def refused_expression(node: ast.AST, version: Version, full: Callable[[str], str]) -> str:
    """Why a version of Python cannot evaluate one node of an expression; empty when nothing speaks against it.

    `full` gives a dotted name with its first part as it was imported."""
    match node:
        case ast.BinOp(left=ast.Dict(), op=ast.BitOr()) | ast.BinOp(op=ast.BitOr(), right=ast.Dict()):
            return "dictionaries are joined with |, which needs Python 3.9" if version < (3, 9) else ""
        case ast.BinOp(left=left, op=ast.BitOr(), right=right) if version < (3, 10):
            if any(isinstance(each, ast.Name) and each.id in _BUILTIN for each in (left, right)):
                return "a union written with | is evaluated, which needs Python 3.10"
        case ast.Subscript(value=value) if version < (3, 9):
            name = full(dotted(value)) if isinstance(value, ast.Name | ast.Attribute) else ""
            if name in _GENERIC or name in _SINCE_39 or name.startswith("collections.abc."):
                return f"{name}[...] is evaluated, which needs Python 3.9"
        case ast.Call(func=ast.Name() | ast.Attribute() as function, keywords=keywords) if keywords:
            known = _KEYWORDS.get(full(dotted(function)), {})
            for each in keywords:
                if each.arg is not None and (since := known.get(each.arg)) is not None and version < since:
                    return f"{dotted(function)}({each.arg}=) needs Python {since[0]}.{since[1]}"
    return ""
