"""Names that expressions spell, with their dots."""

from __future__ import annotations

import ast


def dotted(node: ast.expr) -> str:
    """The name that an expression spells (`os.path.join`); empty when it is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def call_name(node: ast.expr) -> str:
    """What a call calls, or what an expression spells; the last attribute where that is all there is."""
    function = node.func if isinstance(node, ast.Call) else node
    return dotted(function) or (function.attr if isinstance(function, ast.Attribute) else "")
