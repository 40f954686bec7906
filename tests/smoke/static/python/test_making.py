"""Calls that make files and directories, or may."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.making import made_by, says, writes
from smoke.static.python.paths import Paths


def call(text: str) -> ast.Call:
    found = ast.parse(text, mode="eval").body
    assert isinstance(found, ast.Call)
    return found


@pytest.mark.parametrize(
    ("text", "name", "made"),
    [
        ("os.makedirs('a/b')", "os.makedirs", "'a/b'"),
        ("open('a', 'w')", "open", "'a'"),
        ("open('a')", "open", None),
        ("Path('a').mkdir()", "", "Path('a')"),
        ("subprocess.run(x)", "subprocess.run", "subprocess.run(x)"),
        ("print('a')", "print", None),
    ],
)
def test_what_a_call_makes(text: str, name: str, made: str | None) -> None:
    """A program that is run may make anything: then the call itself stands for the path."""
    found = made_by(call(text), name, Paths([]))
    assert (ast.unparse(found) if found is not None else None) == made


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("open(a)", False),
        ("open(a, 'rb')", False),
        ("open(a, 'a')", True),
        ("open(a, mode='x')", True),
        ("open(a, 'r+')", True),
        ("open(a, how)", True),
    ],
)
def test_modes(text: str, write: bool) -> None:
    assert writes(call(text)) is write


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f(a)", False),
        ("f(a, True)", True),
        ("f(a, flag=True)", True),
        ("f(a, flag=x)", None),
        ("f(*a)", None),
        ("f(a, **b)", None),
        ("f(a, 0)", False),
    ],
)
def test_whether_a_flag_is_set(text: str, said: bool | None) -> None:
    assert says(call(text), "flag", 1) is said
