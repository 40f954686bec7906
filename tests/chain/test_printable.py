"""Text from outside is no more than text, wherever it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain words", "plain words"), ("a\x1b[2Kb", "a\\x1b[2Kb"), ("a\nb", "a\\nb"), ("\u202ea", "\\u202ea"), ("", "")],
)
def test_what_does_not_print_is_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(max_size=40))
def test_whatever_comes_can_be_printed(text: str) -> None:
    assert printable(text).isprintable()
