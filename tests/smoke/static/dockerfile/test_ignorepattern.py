"""Patterns of .dockerignore: what each stands for, and that both ways of matching say the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.dockerfile import ignorepattern
from smoke.static.dockerfile.ignorepattern import matcher


@pytest.mark.parametrize(
    ("pattern", "path", "whole"),
    [
        ("a/b", "a/b", True),
        ("a/*", "a/b", True),
        ("a/*", "a/b/c", False),
        ("**/c", "a/b/c", True),
        ("**", "a/b", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        (r"\*", "*", True),
    ],
)
def test_patterns(pattern: str, path: str, whole: bool) -> None:
    assert matcher(pattern)(path) is whole


_PARTS = st.sampled_from(["a", "b", "*", "?", "**", "a*", "*b"])


@given(st.lists(_PARTS, min_size=1, max_size=6), st.lists(st.sampled_from(["a", "b", "ab", "aa"]), max_size=6))
def test_both_ways_of_matching_agree(pattern: list[str], path: list[str]) -> None:
    tokens = ignorepattern._tokens("/".join(pattern))
    expected = re.fullmatch("".join(token.expression for token in tokens), "/".join(path), re.DOTALL)
    assert ignorepattern._simulate(tokens, "/".join(path)) is (expected is not None)
