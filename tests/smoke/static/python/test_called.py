"""Functions that run as their module is loaded, since the module calls them itself."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.called import plain_functions, plain_names
from smoke.static.python.loading import read_effects

OPENS = "open('there.txt')"


def opened(text: str) -> list[str]:
    """The files that a module opens as it is loaded."""
    return [use.place.text for use in read_effects(ast.parse(text), text.encode(), (3, 12)).files]


@pytest.mark.parametrize(
    "text",
    [
        f"def f():\n    {OPENS}\nf()",
        f"def f():\n    return 1\ndef g():\n    f()\n    {OPENS}\ng()",
        f"import asyncio\nasync def f():\n    {OPENS}\nasyncio.run(f())",
        f"def f(x):\n    if x:\n        return\ndef g():\n    {OPENS}\nf(1)\ng()",
        f"def f():\n    def inner():\n        yield 1\n    {OPENS}\nf()",
        f"def f():\n    while True:\n        {OPENS}\n        break\ndef g():\n    {OPENS}\ng()",
    ],
)
def test_what_a_called_function_opens_is_opened(text: str) -> None:
    assert opened(text) == ["there.txt"]


@pytest.mark.parametrize(
    "text",
    [
        f"def f():\n    {OPENS}",
        f"def f():\n    {OPENS}\n    yield 1\nf()",
        f"async def f():\n    {OPENS}\nf()",
        f"@later\ndef f():\n    {OPENS}\nf()",
        f"def f():\n    return 1\n    {OPENS}\nf()",
        f"import sys\ndef f():\n    sys.exit()\n    {OPENS}\nf()",
        f"def f(x):\n    if x:\n        return\n    {OPENS}\nf(1)",
        f"def f():\n    while True:\n        pass\n    {OPENS}\nf()",
        f"def f():\n    {OPENS}\ndef f():\n    pass\nf()",
        f"def g():\n    global f\n    f = print\ndef f():\n    {OPENS}\ng()\nf()",
        f"def f(open):\n    {OPENS}\nf(print)",
        f"def f(x):\n    {OPENS}\nf(*args)",
    ],
)
def test_what_may_not_run_is_not_opened(text: str) -> None:
    assert opened(text) == []


def test_names_made_twice_or_by_functions_are_not_plain() -> None:
    text = "a = 1\nb = 1\nb = 2\nfor c in (): pass\nimport d.e, f as g\nif x:\n    class H: ...\nwith o as i: pass\n"
    data = (text + "def j():\n    global a\n    a = 2\n").encode()
    assert plain_names(ast.parse(data), data) == {"c", "d", "g", "H", "i", "j"}


def test_generators_are_told_even_among_others() -> None:
    text = "def a():\n    yield\ndef b():\n    return 1\ndef c():\n    x = lambda: (yield)\n"
    parsed = ast.parse(text)
    assert plain_functions(parsed, text.encode(), {"a", "b", "c"}).keys() == {"b", "c"}
