"""`python -c CODE`: the modules that its text imports."""

from __future__ import annotations

import ast
import re
import warnings

from smoke.static.python.nodes import below
from smoke.static.regex import regex

_PLAIN = regex(r"[^$`]*", re.DOTALL)
MAX_CODE = 10_000


def imported_by(code: str, *, shell: bool = True) -> list[str] | None:
    """The modules that code surely imports as it runs; none when it cannot be read here, or a shell may change it."""
    if len(code) > MAX_CODE or (shell and not _PLAIN.fullmatch(code)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: list[str] = []
    for node in body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
        elif _moves_path(node):
            return None
    return list(dict.fromkeys(found))


def _moves_path(node: ast.stmt) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr in ("path", "modules") for each in below(node))
