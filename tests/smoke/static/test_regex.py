"""Patterns that are compiled as they are first used: they do what others do, and nothing before that."""

from __future__ import annotations

import re

import pytest

from smoke.static.regex import regex


def test_it_is_a_pattern_once_it_is_used() -> None:
    late = regex(r"(?P<name>\w+)=(\d+)", re.IGNORECASE)
    match = late.fullmatch("a=1")
    assert match is not None
    assert (match["name"], late.findall("a=1 b=2"), late.sub("x", "a=1")) == ("a", [("a", "1"), ("b", "2")], "x")
    assert (late.pattern, late.groups) == (r"(?P<name>\w+)=(\d+)", 2)
    assert regex(rb"\d").search(b"a1") is not None


def test_a_mistake_shows_when_it_is_used() -> None:
    late = regex("(")
    with pytest.raises(re.error):
        late.search("")
