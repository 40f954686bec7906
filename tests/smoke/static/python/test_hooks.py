"""Functions that an app has run before it serves anything."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.hooks import begins
from smoke.static.python.loading import read_effects

LIFE = "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\n"


def opened(text: str) -> list[str]:
    found = read_effects(ast.parse(text), text.encode(), (3, 12)).served
    return [] if found is None else [each.place.text for each in found.files]


@pytest.mark.parametrize(
    ("body", "files"),
    [
        ("open('a')\n    yield\n    open('b')", ["a"]),
        ("try:\n        open('a')\n        yield\n        open('b')\n    finally:\n        open('c')", ["a"]),
        ("async with made() as x:\n        open('a')\n        yield\n        open('b')", ["a"]),
        ("try:\n        open('a')\n    except OSError:\n        pass\n    yield", []),
        ("if app.debug:\n        open('a')\n    yield", []),
        ("x = yield open('a')", []),
    ],
)
def test_a_lifespan_is_read_up_to_its_yield(body: str, files: list[str]) -> None:
    assert (
        opened(f"{LIFE}@asynccontextmanager\nasync def life(app):\n    {body}\napp = FastAPI(lifespan=life)") == files
    )


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("app = FastAPI()\n@app.on_event('startup')\ndef f():\n    open('a')", ["a"]),
        ("app = FastAPI()\n@app.on_event('shutdown')\ndef f():\n    open('a')", []),
        ("app = FastAPI()\n@other.on_event('startup')\ndef f():\n    open('a')", []),
        ("def f():\n    open('a')\napp = FastAPI(on_startup=[f])", ["a"]),
        ("app = FastAPI()\ndef f():\n    open('a')\napp.add_event_handler('startup', f)", ["a"]),
        ("app = FastAPI()\ndef f():\n    open('a')\napp.add_event_handler('shutdown', f)", []),
        ("from quart import Quart\napp = Quart('x')\n@app.before_serving\nasync def f():\n    open('a')", ["a"]),
        ("async def life(app):\n    open('a')\n    yield\napp = FastAPI(lifespan=life)", []),
        ("app = FastAPI(lifespan=elsewhere)\n@app.on_event('startup')\ndef f():\n    open('a')", []),
    ],
)
def test_hooks_of_other_kinds(text: str, files: list[str]) -> None:
    assert opened(LIFE + text) == files


def test_what_a_hook_does_is_not_done_as_the_module_is_loaded() -> None:
    text = f"{LIFE}app = FastAPI()\n@app.on_event('startup')\ndef f():\n    import x\n    open('a')\nopen('b')"
    found = read_effects(ast.parse(text), text.encode(), (3, 12))
    assert [each.place.text for each in found.files] == ["b"]
    assert found.ran == {} and found.served is not None and found.served.ran == {6: False}


@pytest.mark.parametrize(
    ("text", "expected"), [("yield", True), ("with a:\n  yield", True), ("def f(): yield", False), ("x()", False)]
)
def test_a_statement_that_hands_over(text: str, expected: bool) -> None:
    assert begins(ast.parse(text).body[0]) is expected
