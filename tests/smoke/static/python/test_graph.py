"""The graph of what is loaded, as others read it."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.graph import Flaw, Graph, ImportProblem, Outside
from smoke.static.python.loading import read_effects
from smoke.static.python.source import Source


@pytest.mark.parametrize(("name", "top"), [("flask", "flask"), ("google.cloud.storage", "google"), ("", "")])
def test_what_must_be_installed_is_asked_for_by_its_top_module(name: str, top: str) -> None:
    assert Outside(name, "main.py", 1, caught=False, lazy=False).top == top


def test_what_a_module_does_is_its_own_before_what_others_call_of_it() -> None:
    own, called = (read_effects(ast.parse(text), text.encode(), (3, 12)) for text in ("open('own')", "open('called')"))
    graph = Graph(modules={"a.py": Source("a.py", effects=own), "b.py": Source("b.py")})
    graph.called["a.py"] = [called]
    assert [each.files[0].place.text for each in graph.effects("a.py")] == ["own", "called"]
    assert [each.files for each in graph.effects("b.py")] == [[]]
    assert "b.py" not in graph.called, "asking changes nothing"


def test_problems_that_differ_in_kind_alone_are_two() -> None:
    found = {
        ImportProblem("a.py", 1, "x"),
        ImportProblem("a.py", 1, "x", flaw=Flaw.NAME),
        ImportProblem("a.py", 1, "x"),
    }
    assert len(found) == 2
