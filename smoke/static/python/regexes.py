"""Patterns that the `re` module refuses, so that loading the module that compiles them fails."""

from __future__ import annotations

import ast
import re
import warnings

from smoke.static.python.conditions import Version

_TAKES = frozenset(f"re.{name}" for name in ("compile", "match", "search", "fullmatch", "sub", "split", "findall"))
MAX_PATTERN = 2_000
"""Letters of a pattern that is compiled."""
_FLAGS = ("IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE", "ASCII", "I", "M", "S", "X", "A", "UNICODE", "U")


def refused_pattern(node: ast.Call, name: str, version: Version | None) -> str:
    """Why a call of `re` surely raises; `name` is what it calls, as it was imported. The host's `re` judges, which
    refuses what every later one does; flags that do not stand at the beginning are refused since Python 3.11."""
    pattern = node.args[0] if node.args else None
    if name not in _TAKES or not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str | bytes):
        return ""
    flags = _flags(node) if name == "re.compile" else 0
    if len(pattern.value) > MAX_PATTERN or flags is None:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern.value, flags)
    except re.error as error:
        late = "global flags" in error.msg
        return "" if late and (version is None or version < (3, 11)) else f"re refuses the pattern: {error.msg}"
    except (ValueError, OverflowError, RecursionError):
        return ""
    return ""


def _flags(node: ast.Call) -> int | None:
    """The flags of a `re.compile`; none where they are not spelled out."""
    given = [*node.args[1:], *(each.value for each in node.keywords)]
    found, pending = 0, given
    while pending:
        each = pending.pop()
        if isinstance(each, ast.BinOp) and isinstance(each.op, ast.BitOr):
            pending += [each.left, each.right]
        elif isinstance(each, ast.Attribute) and each.attr in _FLAGS:
            found |= int(getattr(re, each.attr))
        else:
            return None
    return found
