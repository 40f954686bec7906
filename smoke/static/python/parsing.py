"""Calls that parse a text strictly, and the file that it comes from."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from smoke.static.python.paths import Paths

_FORMS = {
    **dict.fromkeys(("json.load", "json.loads"), "JSON"),
    **dict.fromkeys(("tomllib.load", "tomllib.loads", "tomli.load", "tomli.loads"), "TOML"),
}


def parsed_form(node: ast.Call, name: str) -> str:
    """The form of what a call parses; empty when it parses nothing, or not strictly."""
    return _FORMS.get(name, "") if len(node.args) == 1 and not node.keywords else ""


def read_path(node: ast.Call, paths: Paths, opened: Mapping[str, ast.expr]) -> ast.expr | None:
    """The path of the file whose text a call is given: `open(PATH)`, `PATH.read_text()`; `opened` has what `with`
    gave names to."""
    given = node.args[0]
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute) and given.func.attr == "read":
        given = given.func.value
    if isinstance(given, ast.Name):
        given = opened.get(given.id) or paths.expression(given)
    if not isinstance(given, ast.Call):
        return None
    if isinstance(given.func, ast.Name) and given.func.id == "open" and given.args:
        return given.args[0]
    if isinstance(given.func, ast.Attribute) and given.func.attr in ("read_text", "read_bytes", "open"):
        return given.func.value if paths.is_path(given.func.value) else None
    return None
