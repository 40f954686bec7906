"""Patterns that `re` refuses."""

from __future__ import annotations

import ast

import pytest

from smoke.static.python.regexes import refused_pattern


def refused(text: str, version: tuple[int, int] | None = (3, 12)) -> str:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    return refused_pattern(call, ast.unparse(call.func), version)


@pytest.mark.parametrize(
    "text", ["re.compile('(a')", "re.match('a**', x)", "re.compile(b'[a')", "re.sub('(?P<1>a)', x, y)"]
)
def test_a_broken_pattern_is_refused(text: str) -> None:
    assert "re refuses the pattern" in refused(text)


def test_late_flags_are_refused_since_311() -> None:
    assert "global flags" in refused("re.compile('a(?i)')", (3, 11))
    assert refused("re.compile('a(?i)')", (3, 10)) == ""
    assert refused("re.compile('a(?i)')", None) == ""


@pytest.mark.parametrize(
    "text",
    [
        "re.compile('(?i)a', re.M | re.DOTALL)",
        "re.compile('(a', FLAGS)",
        "re.compile(PATTERN)",
        "re.escape('(a')",
        "re.compile('a # (', re.X)",
        f"re.compile({'(' * 3000!r})",
    ],
)
def test_what_is_fine_or_not_known_is_left_alone(text: str) -> None:
    assert refused(text) == ""
