"""Bars: drawn where somebody looks, and nowhere else; what tells them how far it is never fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO

import pytest

from lucid.cli import progress
from lucid.cli.progress import byte_bar, count_bar


class Terminal(StringIO):
    """A stream on which somebody looks."""

    def isatty(self) -> bool:
        """See `io`."""
        return True


def seen(stream: StringIO, tell: Callable[[bool], None], quiet: bool = False) -> str:
    """What comes to standard error meanwhile."""
    with redirect_stderr(stream):
        tell(quiet)
    return stream.getvalue()


def bytes_told(quiet: bool) -> None:
    """Half of 8 MB, and what goes on."""
    with byte_bar("storing", quiet) as (told, say):
        told(4_000_000, 8_000_000)
        say("waiting")


def rows_told(quiet: bool) -> None:
    """3 of 7 rows, then of a number that nobody knows."""
    with count_bar("copying", "pages", quiet) as told:
        told(3, 0)
        told(3, 7)


BARS = pytest.mark.parametrize("tell", [bytes_told, rows_told])


def test_how_far_it_is_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = seen(Terminal(), bytes_told)
    assert "waiting" in shown and "4.0/8.0 MB" in shown
    shown = seen(Terminal(), rows_told)
    assert "copying" in shown and "3/7" in shown and "pages" in shown


@BARS
def test_who_reads_json_sees_no_bar(tell: Callable[[bool], None]) -> None:
    assert seen(Terminal(), tell, quiet=True).strip() == ""


@BARS
def test_nobody_looks_at_a_pipe(tell: Callable[[bool], None]) -> None:
    assert seen(StringIO(), tell).strip() == ""


def test_an_image_that_has_nothing_to_draw_with_copies_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "find_spec", lambda name: None)
    assert seen(Terminal(), rows_told) == ""
