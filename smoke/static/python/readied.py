"""`AppConfig.ready`: what Django runs of an app as it sets itself up."""

from __future__ import annotations

import ast

from smoke.static.python.quiet import parse_quietly


def imports_of_ready(data: bytes, config: str) -> frozenset[int]:
    """Lines of the imports that `ready` of a configuration surely makes; `config` is its class, or empty for the one
    there is."""
    if b"def ready" not in data:
        return frozenset()
    parsed = parse_quietly(data)
    body = parsed.body if parsed is not None else []
    classes = [each for each in body if isinstance(each, ast.ClassDef) and (not config or each.name == config)]
    if len(classes) != 1:
        return frozenset()
    found: set[int] = set()
    for method in classes[0].body:
        if isinstance(method, ast.FunctionDef) and method.name == "ready":
            for node in method.body:
                if isinstance(node, ast.If | ast.Return | ast.Raise | ast.Match):
                    break
                if isinstance(node, ast.Import | ast.ImportFrom):
                    found.add(node.lineno)
    return frozenset(found)
