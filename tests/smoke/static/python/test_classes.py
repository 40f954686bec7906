"""Classes and expressions that Python refuses as a module is loaded, and their neighbors that it takes."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.conditions import Version
from smoke.static.python.loading import read_effects

HEAD = "from dataclasses import dataclass, field, KW_ONLY\nfrom typing import ClassVar, NamedTuple\n"
TAKEN = (
    "@dataclass\nclass A:\n    x: int\n    y: list = field(default_factory=list)\n",
    "@dataclass\nclass A:\n    x: ClassVar[list] = []\n    y: int = 0\n",
    "@dataclass(kw_only=True)\nclass A:\n    x: int = 0\n    y: int\n",
    "@dataclass\nclass A:\n    x: int = 0\n    _: KW_ONLY\n    y: int\n",
    "@dataclass(init=False)\nclass A:\n    x: int = 0\n    y: int\n",
    "@dataclass\nclass A(Base):\n    x: int = 0\n    y: int\n",
    "@dataclass\nclass A:\n    x: int = 0\n    y: int = field(init=False)\n",
    "class A:\n    x: list = []\n",
    "class P(NamedTuple):\n    x: int\n    y: list = []\n",
    "try:\n    V = int | str\nexcept TypeError:\n    V = object\n",
)
REFUSED = (
    ("@dataclass\nclass A:\n    x: list = []\n", (3, 12), "mutable default"),
    ("@dataclass(frozen=True)\nclass A:\n    x: dict = dict()\n", (3, 12), "mutable default"),
    ("@dataclass\nclass A:\n    x: int = 0\n    y: int\n", (3, 12), "y has no default"),
    ("class P(NamedTuple):\n    x: int = 0\n    y: int\n", (3, 12), "y has no default"),
    ("@dataclass(slots=True)\nclass A: ...\n", (3, 9), "slots"),
    ("V = int | None\n", (3, 9), "union"),
    ("V = dict[str, int]\n", (3, 8), "dict[...]"),
    ("A = {} | {'a': 1}\n", (3, 8), "joined"),
    ("Z = list(zip([1], [2], strict=True))\n", (3, 9), "strict"),
)


@pytest.mark.parametrize("text", TAKEN)
def test_what_python_takes_is_let_be(text: str) -> None:
    whole = HEAD + text
    assert read_effects(ast.parse(whole), whole.encode(), (3, 12)).refused == []


@pytest.mark.parametrize(("text", "version", "says"), REFUSED)
def test_what_python_refuses_is_told(text: str, version: Version, says: str) -> None:
    whole = HEAD + text
    refused = read_effects(ast.parse(whole), whole.encode(), version).refused
    assert len(refused) == 1 and says in refused[0][1]
