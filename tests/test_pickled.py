"""Every error of the code is the same after it went from one process to another: a worker that fails says why.

Python makes an error anew from what it gave to `Exception`. One whose constructor takes something else raises a
`TypeError` then, in place of what happened, and a pool of workers hangs or ends on it.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.verdict import RunVerdict
from lucid.chain.errors import Code

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid", "sim", "harness", "smoke", "images", "fuzz")
GIVEN = {
    "Code": Code.NOT_FOUND,
    "RunVerdict": RunVerdict.STUCK,
    "bytes": b"\x00key",
    "bool": True,
    "dict[str, Any] | None": {"a": [1]},
    "dict[str, str] | None": {"Retry-After": "1"},
    "int": 404,
    "int | None": 418,
    "str": "it's \x1b[2J\n" * 300,
}
"""What a constructor is given, by the type that it asks for."""


def errors() -> list[type[Exception]]:
    """All classes of errors in the code, private ones too."""
    for path in sorted(each for room in ROOMS for each in (ROOT / room).rglob("*.py")):
        if path.name != "__main__.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return sorted(set(_below(Exception)), key=lambda kind: (kind.__module__, kind.__qualname__))


def _below(kind: type[Exception]) -> Iterator[type[Exception]]:
    for each in kind.__subclasses__():
        if each.__module__.partition(".")[0] in ROOMS:
            yield each
        yield from _below(each)


def made(kind: type[Exception]) -> Exception:
    """One of a kind, with all that its constructor takes."""
    if kind.__init__ is Exception.__init__:
        return kind("one sentence")
    parameters = list(inspect.signature(kind).parameters.values())
    given = {each.name: GIVEN[str(each.annotation)] for each in parameters}
    return kind(
        *(given[each.name] for each in parameters if each.kind is not each.KEYWORD_ONLY),
        **{each.name: given[each.name] for each in parameters if each.kind is each.KEYWORD_ONLY},
    )


def told(error: Exception) -> tuple[Any, ...]:
    """All that there is to know of an error."""
    return type(error), str(error), error.args, error.__dict__


ERRORS = errors()


def test_they_are_all_found() -> None:
    assert len(ERRORS) > 50 and {"Refusal", "ScenarioError", "YamlError"} <= {kind.__name__ for kind in ERRORS}


@pytest.mark.parametrize("kind", ERRORS, ids=[f"{kind.__module__}.{kind.__name__}" for kind in ERRORS])
def test_an_error_is_the_same_in_another_process(kind: type[Exception]) -> None:
    error = made(kind)
    assert told(pickle.loads(pickle.dumps(error))) == told(error)
    assert told(copy.copy(error)) == told(error)
