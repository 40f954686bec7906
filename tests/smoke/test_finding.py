"""What a finding shows of a line: one printable line, cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smoke.finding import MAX_EXCERPT, excerpt


@given(st.text(max_size=3 * MAX_EXCERPT))
def test_an_excerpt_is_one_printable_line_of_bounded_length(text: str) -> None:
    """It goes into terminals and into Markdown: no control character of a stranger's file may."""
    found = excerpt(text)
    assert len(found) <= MAX_EXCERPT and found.isprintable() and "\n" not in found


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=MAX_EXCERPT))
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    assert excerpt(text) == text.strip()


def test_what_is_cut_says_so() -> None:
    assert excerpt("x" * (MAX_EXCERPT + 1)).endswith("\N{HORIZONTAL ELLIPSIS}")
    assert excerpt("a\x1b[31mb") == "a\N{REPLACEMENT CHARACTER}[31mb"
