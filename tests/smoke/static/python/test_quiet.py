"""Modules that are parsed without a word."""

from __future__ import annotations

import pytest

from smoke.static.python.quiet import parse_quietly


@pytest.mark.parametrize("data", [b"def f(:", b"\0", b"a = " + b"(" * 5000, b"# coding: nothing\n"])
def test_what_cannot_be_read_is_none(data: bytes) -> None:
    assert parse_quietly(data) is None


def test_warnings_are_kept_back() -> None:
    parsed = parse_quietly(b"a = '\\d'\n")
    assert parsed is not None
    assert len(parsed.body) == 1
