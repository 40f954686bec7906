"""Names that expressions spell, with their dots."""

from __future__ import annotations

import ast

from smoke.static.python.dotted import call_name, dotted


def test_names_are_spelled() -> None:
    node = ast.parse("os.path.join(a)[0].lower()", mode="eval").body
    assert (dotted(node), call_name(node)) == ("", "lower")
    inner = ast.parse("os.path.join(a)", mode="eval").body
    assert call_name(inner) == "os.path.join" and call_name(ast.parse("a.b", mode="eval").body) == "a.b"
