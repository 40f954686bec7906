"""What the names stand for that a module imports."""

from __future__ import annotations

import ast

from smoke.static.python.paths import statements


def imported_names(parsed: ast.Module) -> dict[str, str]:
    """What the names that a module imports stand for."""
    found: dict[str, str] = {}
    for node in statements(parsed.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                module = "" if node.module == "__future__" else f"{node.module}."
                found[alias.asname or alias.name] = f"{module}{alias.name}"
    return found


def relative_names(parsed: ast.Module) -> dict[str, tuple[int, str]]:
    """What the names stand for that a module imports from its own package: the dots, and what follows them."""
    return {
        alias.asname or alias.name: (node.level, ".".join(filter(None, (node.module, alias.name))))
        for node in statements(parsed.body)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
