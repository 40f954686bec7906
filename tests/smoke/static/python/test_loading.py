"""What statements surely do as a module is loaded, and which may or may not."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.effects import CallOut
from smoke.static.python.loading import called_effects, read_effects


def opened(text: str, version: tuple[int, int] = (3, 12)) -> list[str]:
    return [each.place.text for each in read_effects(ast.parse(text), text.encode(), version).files]


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("open('a')", ["a"]),
        ("x = [open('a')]", ["a"]),
        ("class A:\n    x = open('a')", ["a"]),
        ("def f(x=open('a')): ...", ["a"]),
        ("with open('a') as f: ...", ["a"]),
        ("def f():\n    open('a')\nf()", ["a"]),
        ("def f():\n    open('a')", []),
        ("lambda: open('a')", []),
        ("[open(x) for x in y]", []),
        ("if x:\n    open('a')", []),
        ("if True:\n    open('a')", ["a"]),
        ("import sys\nif sys.version_info >= (3, 12):\n    open('a')\nelse:\n    open('b')", ["a"]),
        ("x = a and open('b')", []),
        ("x = open('a') or b", ["a"]),
        ("x = open('a') if b else c", []),
        ("try:\n    open('a')\nexcept OSError:\n    pass", []),
        ("try:\n    open('a')\nexcept KeyError:\n    pass", ["a"]),
        ("try:\n    x()\nfinally:\n    open('a')", ["a"]),
        ("from contextlib import suppress\nwith suppress(OSError):\n    open('a')", []),
        ("for x in y:\n    open('a')", []),
        ("import asyncio\nasync def f():\n    open('a')\nasyncio.run(f())", ["a"]),
        ("async def f():\n    open('a')\nf()", []),
        ("def f():\n    return\n    open('a')\nf()", []),
    ],
)
def test_what_surely_runs(text: str, files: list[str]) -> None:
    assert opened(text) == files


def test_under_a_main_guard_it_is_the_main_modules_alone() -> None:
    text = "if __name__ == '__main__':\n    open('a')\nopen('b')"
    assert [each.main for each in read_effects(ast.parse(text), text.encode(), (3, 12)).files] == [True, False]


def test_functions_that_call_themselves_end() -> None:
    assert opened("def f():\n    open('a')\n    f()\nf()") == ["a"]
    chain = "".join(f"def f{n}():\n    f{n + 1}()\n" for n in range(50)) + "def f50(): open('a')\nf0()\n"
    assert opened(chain) == [], "deeper than is followed"


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("raise ValueError", True),
        ("raise SystemExit", False),
        ("assert False", True),
        ("assert x", False),
        ("if x:\n    raise ValueError", False),
        ("try:\n    raise ValueError\nexcept ValueError:\n    pass", False),
    ],
)
def test_what_surely_raises(text: str, fails: bool) -> None:
    assert bool(read_effects(ast.parse(text), text.encode(), (3, 9)).failing) is fails


def test_a_function_as_another_module_calls_it() -> None:
    text = b"def f(path):\n    open(path)\nopen('own')\n"
    call = CallOut(1, "m", 0, "f", ((True, "a"),))
    assert [each.place.text for each in called_effects(text, (3, 12), call).files] == ["a"]
    unknown = CallOut(1, "m", 0, "f", ((False, None),))
    assert called_effects(text, (3, 12), unknown).files == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    import a\nf()", {2: False}),
        ("def f():\n    import a\nif __name__ == '__main__':\n    f()", {2: True}),
        ("def f():\n    import a\nf()\nif __name__ == '__main__':\n    f()", {2: False}),
        ("def f():\n    import a\ntry:\n    f()\nexcept ImportError:\n    pass", {}),
        ("def f():\n    return\n    import a\nf()", {}),
        ("def f():\n    if x:\n        import a\nf()", {}),
        ("def f():\n    import a", {}),
        ("import a", {}),
    ],
)
def test_imports_of_functions_that_run(text: str, lines: dict[int, bool]) -> None:
    assert read_effects(ast.parse(text), text.encode(), (3, 12)).ran == lines
