"""Modules that may have effects, by their text."""

from __future__ import annotations

import pytest

from smoke.static.python.telling import TELLING, calls_own


def test_text_tells() -> None:
    assert TELLING.search(b"x = open('a')")
    assert not TELLING.search(b"x = 1\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"def f(): pass\nf()\n", True),
        (b"def f(): pass\n", False),
        (b"from conf import load\nX = load()\n", True),
        (b"from logging import getLogger\nX = getLogger()\n", False),
    ],
)
def test_calls_at_the_top_are_seen(text: bytes, wanted: bool) -> None:
    assert calls_own(text) is wanted
