"""Variables that a call or a check cannot do without."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.variables import checked_by, wanted_by


class Plain:
    """Names stand for themselves, and constants for their text."""

    def text(self, node: ast.expr | None) -> str:
        return str(node.value) if isinstance(node, ast.Constant) else ""

    def full(self, name: str) -> str:
        return name

    def expression(self, node: ast.expr) -> ast.expr:
        return node


KNOWN = Plain()


@pytest.mark.parametrize(
    ("code", "name", "wanted"),
    [
        ("int(os.getenv('A'))", "int", "A"),
        ("int(os.getenv('A', '1'))", "int", ""),
        ("os.environ.get('A').split(',')", "", "A"),
        ("config('A')", "decouple.config", "A"),
        ("config('A', default=1)", "decouple.config", ""),
    ],
)
def test_calls(code: str, name: str, wanted: str) -> None:
    node = ast.parse(code, mode="eval").body
    assert isinstance(node, ast.Call)
    assert wanted_by(node, name, KNOWN, set()) == wanted


def test_checks_that_end_the_program() -> None:
    node = ast.parse("if not os.getenv('A'):\n    raise ValueError\n").body[0]
    assert isinstance(node, ast.If)
    assert checked_by(node.test, node.body, KNOWN) == "A"
