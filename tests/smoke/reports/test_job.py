"""A job's page: each cause in one row of a table, whatever its text holds, and short enough for one page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.judgment import Judgment
from smoke.reports.job import MAX_STORIES, write
from tests.smoke.reports.rendered import tokens
from tests.smoke.reports.sample import FINDINGS, finding, sample


def page_of(*messages: str) -> str:
    found = tuple(
        finding(f"a.b{number}", Verdict.FAIL, message=text, line=number) for number, text in enumerate(messages, 1)
    )
    return write(Judgment(title="t", services=(), findings=found))


def test_the_page_has_a_row_for_each_cause_and_folds_what_cannot_be_told() -> None:
    page = write(sample())
    rows = [line for line in page.splitlines() if line.startswith("| ") and "what" not in line]
    assert len(rows) == 3, "a note is not a cause"
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows), "four cells, whatever a text holds"
    assert "<c>" not in page and "1 checks could not tell" in page


@given(st.text(alphabet="ab |\\*_~`<>&[]()\n", min_size=1, max_size=30).filter(str.strip))
def test_any_text_makes_one_row_of_four_cells_and_is_shown_as_it_is(text: str) -> None:
    """A backslash right before a bar would take the bar's own away, and the row would have five."""
    found = tokens(page_of(f"m {text} m"))
    assert sum(each.type == "td_open" for each in found) == 4
    assert not {each.type for each in found} & {"strong_open", "em_open", "s_open", "link_open", "code_inline"}
    [_, _, rest] = "".join(each.content for each in found if each.content).partition("what to do")
    assert " ".join(f"m {text} m".split()) in rest


def test_a_file_s_name_is_shown_as_it_is() -> None:
    """Its bars and marks are no more than letters of it."""
    odd = Finding(
        check="a.b",
        severity=Severity.CRITICAL,
        verdict=Verdict.FAIL,
        message="m",
        evidence=(Evidence("a|__init__.py", 3),),
    )
    found = tokens(write(Judgment(title="t", services=(), findings=(odd,))))
    assert sum(each.type == "td_open" for each in found) == 4
    assert "a|__init__.py:3" in "".join(each.content for each in found)


@pytest.mark.parametrize("count", [MAX_STORIES, MAX_STORIES + 2])
def test_a_long_page_ends_with_how_many_more_there_are(count: int) -> None:
    page = page_of(*(f"m{number}" for number in range(count)))
    assert ("and 2 more" in page) == (count > MAX_STORIES)
    assert sum(each.type == "tr_open" for each in tokens(page)) == 1 + MAX_STORIES


def test_a_page_without_a_cause_has_no_table() -> None:
    assert "|" not in write(sample(only=(5,))) and len(FINDINGS) == 7


def test_what_cannot_be_told_is_told_once() -> None:
    """Ten services of one kind have one reason."""
    same = tuple(finding("a.b", Verdict.SKIP, message="who knows") for _ in range(10))
    page = write(Judgment(title="t", services=(), findings=same))
    assert page.count("who knows") == 1 and "10 checks could not tell" in page
