"""Annotations that are evaluated as a module is loaded."""

from __future__ import annotations

import ast

from smoke.static.python.conditions import Version

_GENERIC = frozenset({"list", "dict", "set", "tuple", "frozenset", "type"})
_BUILTIN = frozenset({"int", "str", "float", "bool", "bytes", "list", "dict", "set", "tuple"})


def refused(annotation: ast.expr, version: Version) -> str:
    """Why a version of Python can't evaluate an annotation; empty when nothing speaks against it."""
    for each in ast.walk(annotation):
        match each:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right) if version < (3, 10):
                if _is_builtin(left) or _is_builtin(right):
                    return "a union written with | is evaluated, which needs Python 3.10"
            case ast.Subscript(value=ast.Name(id=name)) if version < (3, 9) and name in _GENERIC:
                return f"{name}[...] is evaluated, which needs Python 3.9"
    return ""


def _is_builtin(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id in _BUILTIN
