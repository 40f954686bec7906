"""Routes of Flask's apps: one endpoint is one function's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from smoke.static.python.dotted import dotted


def twice_routed(parsed: ast.Module) -> Iterator[tuple[int, str]]:
    """Functions of one name that one app of Flask gets routes to: it refuses the second."""
    makers = {
        node.targets[0].id
        for node in parsed.body
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and dotted(node.value.func).rpartition(".")[2] in ("Flask", "Blueprint")
    }
    seen: set[tuple[str, str]] = set()
    for node in parsed.body if makers else ():
        if not isinstance(node, ast.FunctionDef):
            continue
        routed: set[tuple[str, str]] = set()
        for each in node.decorator_list:
            app, _, method = dotted(each.func).rpartition(".") if isinstance(each, ast.Call) else ("", "", "")
            named = isinstance(each, ast.Call) and {"endpoint", None} & {one.arg for one in each.keywords}
            if app in makers and method in ("route", "get", "post", "put", "delete", "patch") and not named:
                routed.add((app, node.name))
        if routed & seen:
            yield node.lineno, f"{node.name} is made twice, and Flask refuses two functions for one endpoint"
        if len(node.decorator_list) == len([each for each in node.decorator_list if isinstance(each, ast.Call)]):
            seen |= routed
