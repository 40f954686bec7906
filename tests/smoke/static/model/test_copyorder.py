"""What a COPY or ADD asks for."""

from __future__ import annotations

import pytest

from smoke.static.dockerfile.ignore import Ignore, parse_ignore
from smoke.static.model.copyorder import CopyOrder, CopySelection


@pytest.mark.parametrize(
    ("parents", "word", "landed"),
    [(False, "/a/b", "/x"), (True, "/a/b", "/x/a/b"), (True, "/a/./b", "/x/b"), (True, "/a/*", "/x")],
)
def test_where_a_source_comes_to_lie(parents: bool, word: str, landed: str) -> None:
    assert CopySelection(parents).landing("/x", word) == landed and CopySelection(parents).has("/any")


def test_what_is_excluded_does_not_come_along() -> None:
    selection = CopySelection(without=Ignore("", parse_ignore("e\n*.py\n")))
    assert [selection.has(each) for each in ("/e/f", "/a.py", "b", "")] == [False, False, True, True]


def test_an_order_that_says_no_more_takes_everything() -> None:
    order = CopyOrder(sources=("a",), place="/x", into=True, user=0, mode=None, line=3)
    assert order.selection.has("any.py") and not order.selection.parents
