"""What names stand for: as they were imported, and as a function was given them."""

from __future__ import annotations

import ast

from smoke.static.python.bindings import Bindings

TEXT = """
import numpy as np
import os.path
from a.b import c as d
from . import e
from ..f import g
NAME = "x"
"""


def bindings() -> Bindings:
    return Bindings(ast.parse(TEXT))


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def test_names_are_as_they_were_imported() -> None:
    found = bindings()
    assert [found.full(name) for name in ("np.array", "os.path.join", "d", "d.x", "other.x", "")] == [
        *["numpy.array", "os.path.join", "a.b.c", "a.b.c.x", "other.x", ""]
    ]
    assert found.relative["e"][0] == 1 and found.relative["g"][0] == 2
    assert found.knows("numpy") and found.knows("a") and not found.knows("b")


def test_a_text_is_known_or_empty() -> None:
    found = bindings()
    assert found.text(expression("NAME")) == found.text(expression("'x'")) == "x"
    assert found.text(expression("f()")) == found.text(expression("1")) == found.text(None) == ""


def test_arguments_are_plain_or_not() -> None:
    found = bindings()
    assert [found.given(expression(each)) for each in ("NAME", "1", "None", "f()", "1.5")] == [
        *[(True, "x"), (True, 1), (True, None), (False, None), (False, None)]
    ]


def test_within_a_function_its_arguments_and_imports_go_before() -> None:
    found = bindings()
    function = ast.parse("def f(NAME):\n    import json as np\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    with found.within(function, {"NAME": ast.Constant("y")}):
        assert found.text(expression("NAME")) == "y" and found.full("np.x") == "json.x"
    assert found.text(expression("NAME")) == "x" and found.full("np.x") == "numpy.x"


def test_an_error_within_leaves_no_trace() -> None:
    found = bindings()
    function = ast.parse("def f(): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    try:
        with found.within(function, {"NAME": ast.Constant("y")}):
            raise KeyError
    except KeyError:
        pass
    assert found.text(expression("NAME")) == "x"
