"""What imported names stand for."""

from __future__ import annotations

import ast

from smoke.static.python.imported import imported_names, relative_names


def test_names_stand_for_what_was_imported() -> None:
    parsed = ast.parse("import a.b\nimport c as d\nfrom e.f import g as h\nfrom .i import j\nfrom .. import k\n")
    assert imported_names(parsed) == {"a": "a", "d": "c", "h": "e.f.g"}
    assert relative_names(parsed) == {"j": (1, "i.j"), "k": (2, "k")}
