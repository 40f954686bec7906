"""The report for people: what a text holds is shown as it is, whatever it means in Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.judgment import Judgment
from smoke.reports.markdown import plain, write
from tests.smoke.reports.rendered import marks, tokens
from tests.smoke.reports.rendered import plain as shown
from tests.smoke.reports.sample import FINDINGS, REMEDY, finding, sample

SECTIONS = (
    *("Executive summary", "Test scope", "Passed", "Critical failures", "Detailed analysis", "Plain greps"),
    *("Recommendations", "Risk assessment", "Next steps"),
)


@given(st.text(alphabet="ab &;<>|*_~`#[]()!\\-+.1", max_size=30))
def test_a_text_is_shown_as_it_is_and_marks_nothing(text: str) -> None:
    """File names of a stranger's tree come to it: none may become a link, a tag or a row of a table."""
    line = plain(f"a {text} b")
    assert shown(line) == " ".join(f"a {text} b".split())
    assert marks(line) <= {"paragraph_open", "paragraph_close", "text", "text_special"}


@pytest.mark.parametrize("text", ["service.__main__", "a*b*c", "~~gone~~", "&lt;", "![x](y)", "<b>", "a\\|b"])
def test_names_as_code_has_them_stay_whole(text: str) -> None:
    assert shown(plain(text)) == text


def test_each_section_is_there_once_and_in_order() -> None:
    titles = [line.lstrip("# ") for line in write(sample()).splitlines() if line.startswith("#")]
    assert [title for title in titles if title in SECTIONS] == [*SECTIONS]
    assert "Plain greps" not in write(Judgment(title="t", services=(), findings=()))


@pytest.mark.parametrize(
    ("only", "says"),
    [
        ((5,), "Go on:"),
        ((1, 4), "Go on:"),
        ((0,), "Do not build or deploy"),
        ((0, 6), "Nothing can be concluded:"),
    ],
)
def test_the_verdict_is_that_of_the_exit_status(only: tuple[int, ...], says: str) -> None:
    text = write(sample(only=only))
    assert says in shown(text)
    assert ("Build the images" in text) == (sample(only=only).status == 0)


def test_what_fails_is_told_with_its_place_its_reason_and_its_remedy() -> None:
    text = shown(write(sample(only=(0,))))
    assert "1. entrypoint.exists (shop): there is no a|b <c> `d`" in text
    assert "Dockerfile:3" in text and "do: Copy the file." in text
    whole = shown(write(sample(only=(6,))))
    assert "at Dockerfile: " in whole and "Dockerfile:0" not in whole, "no line is known"


def test_an_excerpt_with_ticks_stays_within_its_own() -> None:
    """Evidence is code, and code may hold ticks of its own."""
    code = [each.content for each in tokens(write(sample(only=(0,)))) if each.type == "code_inline"]
    assert any("COPY a|b <c> `d`" in each for each in code)


def test_a_path_with_line_ends_begins_no_section() -> None:
    """A file may be named so, and its name is evidence."""
    odd = Finding(
        check="a.b",
        severity=Severity.CRITICAL,
        verdict=Verdict.FAIL,
        message="m",
        evidence=(Evidence("x\n\n# Go on", 1, "y"),),
    )
    text = write(Judgment(title="t", services=(), findings=(odd,)))
    assert "x # Go on:1" in shown(text) and "\n# Go on" not in text


def test_a_skip_says_where_and_an_excuse_why() -> None:
    text = write(sample())
    assert "it never promised that" in text and "### Inconclusive\n\n- entrypoint.app" in text
    assert "Every check could be made." in write(sample(only=(0,)))


def test_each_remedy_is_recommended_once() -> None:
    twice = tuple(finding("a.b", Verdict.FAIL, message=f"m{number}") for number in range(3))
    recommended = write(Judgment(title="t", services=(), findings=twice)).partition("## Recommendations")[2]
    assert recommended.count(REMEDY) == 1
    note = finding("a.b", Verdict.FAIL, Severity.INFO)
    assert "## Recommendations\n\nNone." in write(Judgment(title="t", services=(), findings=(note,)))


def test_risks_are_counted_by_their_checks() -> None:
    risks = write(sample()).partition("## Risk assessment")[2]
    high, medium, low = (risks.partition(f"### {level}")[2].partition("##")[0] for level in ("High", "Medium", "Low"))
    assert {line for line in high.splitlines() if line} == {"- entrypoint.exists: 1", "- tree.limits: 1"}
    assert medium.count("- ") == 2 and low.count("- ") == 2 and len(FINDINGS) == 7
