"""Tokens: how one is given, and when two are the same."""

from __future__ import annotations

import pytest

from lucid.services.web.tokens import bearer, same_token


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer a", "a"), ("bearer  a ", "a"), ("Basic a", ""), ("Bearer", ""), ("a", ""), ("", "")],
)
def test_the_token_of_a_header(header: str, token: str) -> None:
    assert bearer(header) == token


def test_nothing_is_no_token() -> None:
    assert same_token("a", "a") and not same_token("a", "b") and not same_token("", "")
