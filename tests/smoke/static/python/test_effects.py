"""Everything that a module does as it is loaded: each kind is seen, and known to be the main module's alone."""

from __future__ import annotations

import ast
import textwrap

import pytest
from msgspec.structs import fields

from smoke.static.python.effects import Effects, Use
from smoke.static.python.loading import read_effects

KINDS = {
    "files": "open('a')",
    "climbs": "from pathlib import Path\nPath(__file__).parents[9]",
    "parsed": "import json\njson.load(open('a.json'))",
    "asked": "import sys\nsys.argv[1]",
    "calls_out": "from a import f\nf()",
    "demands": "import os\nos.environ['A']",
    "named": "import uvicorn\nuvicorn.run('a:app')",
    "typed": "input()",
    "localized": "import zoneinfo\nzoneinfo.ZoneInfo('Europe/Berlin')",
    "libraries": "import ctypes\nctypes.CDLL('libpq.so.5')",
    "distributions": "from importlib.metadata import version\nversion('a')",
    "failing": "raise ValueError",
}
"""A text for each kind that knows whether it is the main module's."""


def effects(text: str) -> Effects:
    return read_effects(ast.parse(text), text.encode(), (3, 12))


@pytest.mark.parametrize(("kind", "text"), KINDS.items())
def test_each_kind_is_seen_where_it_surely_happens(kind: str, text: str) -> None:
    [found] = getattr(effects(text), kind)
    assert found.line == text.count("\n") + 1 and not found.main
    assert not getattr(effects(f"def late():\n{textwrap.indent(text, '    ')}"), kind)


@pytest.mark.parametrize(("kind", "text"), KINDS.items())
def test_under_a_main_guard_it_is_the_main_module_s(kind: str, text: str) -> None:
    """The first line makes the text one that is looked into at all (`telling`)."""
    guarded = f"import dotenv\nif __name__ == '__main__':\n{textwrap.indent(text, '    ')}"
    [found] = getattr(effects(guarded), kind)
    assert found.main


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("open('a')", Use.READ),
        ("open('a', 'w')", Use.WRITE),
        ("import os\nos.mkdir('a')", Use.MAKE),
        ("from fastapi.staticfiles import StaticFiles\nStaticFiles(directory='a')", Use.SERVE),
    ],
)
def test_what_is_done_with_a_path(text: str, use: Use) -> None:
    [found] = effects(text).files
    assert (found.use, found.place.text) == (use, "a")


def test_a_module_that_does_nothing_has_no_effects() -> None:
    """Each has lists of its own: what one module does is not another one's."""
    made, other = effects("x = 1\n"), Effects()
    assert made == other
    for field in fields(Effects):
        if isinstance(value := getattr(made, field.name), list):
            value.append(None)
    assert other == Effects()
