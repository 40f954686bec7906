"""Conditions that a module tests as it is loaded, for Linux and a version of Python."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.conditions import Truth, decide


def answer(text: str, version: tuple[int, int] | None = (3, 12)) -> Truth:
    return decide(ast.parse(text, mode="eval").body, version)


@pytest.mark.parametrize(
    "text",
    [
        "True",
        "sys.platform == 'linux'",
        "sys.platform.startswith('lin')",
        "os.name in ('posix', 'nt')",
        "os.name in {'posix'} and not TYPE_CHECKING",
        "platform.system() != 'Windows'",
        "sys.version_info >= (3, 12)",
        "sys.version_info > (3, 12)",
        "sys.version_info[0] == 3",
        "sys.version_info[:2] == (3, 12)",
        "sys.version_info.minor < 13",
        "x or True",
        "not (x and False)",
    ],
)
def test_what_surely_holds(text: str) -> None:
    assert answer(text) is Truth.YES


@pytest.mark.parametrize(
    "text",
    [
        "False",
        "sys.platform == 'win32'",
        "sys.version_info < (3, 12)",
        "sys.version_info == (3, 12)",
        "sys.version_info.major == 2",
        "os.name not in ['posix']",
        "x and False",
        "not __debug__",
    ],
)
def test_what_surely_does_not(text: str) -> None:
    assert answer(text) is Truth.NO


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "f()",
        "x and True",
        "sys.version_info >= (3, 12, 1)",
        "sys.version_info >= '3'",
        "(3, 12) <= sys.version_info",
        "sys.version_info[2] > 1",
        "sys.version_info[:3] == (3, 12, 1)",
        "sys.platform < 3",
        "a < b < c",
        "1 in 2",
        "not x",
        "not " * 30 + "True",
        "(" * 30 + "True" + ",)" * 30 + " == 1",
    ],
)
def test_what_is_not_simple_is_unknown(text: str) -> None:
    assert answer(text) is Truth.UNKNOWN


def test_without_a_version_what_asks_for_it_is_unknown() -> None:
    assert answer("sys.version_info >= (3, 8)", None) is Truth.UNKNOWN
    assert answer("sys.version_info.major == 3", None) is Truth.UNKNOWN
    assert answer("sys.version_info[:2] > (3, 8)", None) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("__name__ == '__main__'", Truth.MAIN),
        ("'__main__' == __name__", Truth.MAIN),
        ("not __name__ == '__main__'", Truth.NOT_MAIN),
        ("__name__ == '__main__' and True", Truth.MAIN),
        ("__name__ == '__main__' or True", Truth.YES),
        ("__name__ == '__main__' and x", Truth.UNKNOWN),
        ("__name__ == 'shop'", Truth.UNKNOWN),
    ],
)
def test_the_module_that_was_started_is_told_apart(text: str, wanted: Truth) -> None:
    assert answer(text) is wanted
