"""Globs of manifests."""

from __future__ import annotations

import pytest

from smoke import patterns
from smoke.patterns import matches
from tests.effort import no_hang

MATCHES = [
    ("a", "a", True),
    ("*", "a.py", True),
    ("*", "a/b", False),
    ("**", "a/b", True),
    ("**/x", "x", True),
    ("**/x", "a/b/x", True),
    ("**/x", "ax", False),
    ("a/**/x", "a/x", True),
    ("a/**/**/x", "a/b/c/x", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a.c", "abc", False),
    ("*a*b*c*d*e*", "xaxbxcxdxex", True),
    ("*a*b*c*d*e*", "xaxbx/cxdxex", False),
    ("**/a*/**/b*/**/c?.py", "x/a1/b2/y/c3.py", True),
    ("**/a*/**/b*/**/c?.py", "x/a1/c3.py", False),
]


@pytest.mark.parametrize(("pattern", "text", "wanted"), MATCHES)
@pytest.mark.parametrize("limit", [patterns.MAX_BACKTRACKING, -1])
def test_a_glob_matches_alike_either_way(
    pattern: str, text: str, wanted: bool, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "MAX_BACKTRACKING", limit)
    assert matches(pattern, text) is wanted


@pytest.mark.parametrize("pattern", ["**/" * 30 + "zzz", "*a" * 30 + "b", "**/*a" * 20 + "b"])
def test_no_glob_is_slow(pattern: str) -> None:
    with no_hang():
        assert not matches(pattern, "a/" * 60 + "a" * 200)
