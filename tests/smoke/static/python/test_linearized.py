"""The order of bases: what Python itself refuses, and nothing else."""

from __future__ import annotations

import ast
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoke.static.python.abstract import ClassAt
from smoke.static.python.linearized import Parent, refused_bases


def refused(text: str) -> list[str]:
    """The classes of a text that are refused."""
    classes = {each.name: each for each in ast.parse(text).body if isinstance(each, ast.ClassDef)}

    def meant(module: str, name: str) -> Parent | None:
        held = classes.get(name)
        return Parent((module, name), ClassAt(held, module)) if held is not None else None

    return [name for name, cls in classes.items() if refused_bases(ClassAt(cls, "m"), meant)]


@st.composite
def _hierarchies(draw: st.DrawFn) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for number in range(draw(st.integers(1, 7))):
        names = [name for name, _ in found]
        bases = draw(st.lists(st.sampled_from([*names, "object"]), max_size=3, unique=True))
        found.append((f"C{number}", bases))
    return found


@settings(deadline=None)
@given(_hierarchies())
def test_python_says_the_same(classes: list[tuple[str, list[str]]]) -> None:
    made: dict[str, object] = {}
    written: list[str] = []
    for name, bases in classes:
        if any(base not in made and base != "object" for base in bases):
            continue  # a base that Python has refused
        line = f"class {name}({', '.join(bases)}): pass\n"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exec(line, made)
            except TypeError:
                assert refused("".join([*written, line])) == [name]
                continue
        written.append(line)
        assert refused("".join(written)) == []


@pytest.mark.parametrize(
    "text",
    [
        "class A: pass\nclass B(A): pass\nclass C(A, B[int]): pass",
        "class A: pass\nclass B(A): pass\nclass C(A, B, Unknown): pass",
        "class A: pass\nclass B(A): pass\nclass C(A, B, metaclass=M): pass",
    ],
)
def test_what_cannot_be_told_is_let_be(text: str) -> None:
    assert refused(text) == []
