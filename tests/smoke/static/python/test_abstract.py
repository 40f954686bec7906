"""Classes in which abstract methods are left."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.abstract import left_abstract

BASE = "class A(ABC):\n    @abstractmethod\n    def f(self): ...\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{BASE}class B(A):\n    pass\n", ("f",)),
        (f"{BASE}class B(A):\n    def f(self): pass\n", ()),
        (f"{BASE}class B(A):\n    f = 1\n", ()),
        (f"{BASE}class B(A, Mixin):\n    pass\n", ()),
        (f"{BASE}@later\nclass B(A):\n    pass\n", ()),
        ("class B:\n    @abstractmethod\n    def f(self): ...\n", ()),
        ("class B(metaclass=ABCMeta):\n    @abstractmethod\n    def f(self): ...\n", ("f",)),
    ],
)
def test_what_is_left(text: str, left: tuple[str, ...]) -> None:
    classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    assert left_abstract("B", classes) == left
