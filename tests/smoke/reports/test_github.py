"""Annotations and the job's page: what a runner reads is escaped, and leads to file and line."""

from __future__ import annotations

import re

import pytest

from smoke.finding import Verdict
from smoke.reports import FORMATS
from smoke.reports.job import MAX_STORIES
from tests.smoke.reports.sample import FINDINGS, finding, sample


def test_each_annotation_is_a_command_on_one_line() -> None:
    lines = FORMATS["github"](sample()).splitlines()
    commands = [line.split()[0] for line in lines]
    assert commands == ["::error", "::warning", "::notice", "::notice", "::error"], "passes and excuses are not told"
    assert lines[0].startswith("::error title=entrypoint.exists shop,file=Dockerfile,line=3::there is no a|b")
    assert lines[3].startswith("::notice title=entrypoint.app shop::skipped: ")
    assert "line=" not in lines[4], "no line is known"


def test_line_ends_and_signs_of_commands_are_escaped() -> None:
    text = FORMATS["github"](sample(only=(0,))).replace("\n", "", 1)
    assert text.count("::") == 2
    odd = finding("a.b", Verdict.FAIL, message="100%\r\n::error::x")
    [line] = FORMATS["github"](sample(only=()).__class__(title="", services=(), findings=(odd,))).splitlines()
    assert "100%25%0D%0A::error::x" in line


def test_strict_makes_a_skip_an_error() -> None:
    assert FORMATS["github"](sample(strict=True, only=(4,))).startswith("::error ")


def test_the_page_has_a_row_for_each_cause_and_folds_what_cannot_be_told() -> None:
    page = FORMATS["job"](sample())
    rows = [line for line in page.splitlines() if line.startswith("| ") and "what" not in line]
    assert len(rows) == 3, "a note is not a cause"
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows), "four cells, whatever a text holds"
    assert "<c>" not in page and "1 checks could not tell" in page


@pytest.mark.parametrize("count", [MAX_STORIES, MAX_STORIES + 2])
def test_a_long_page_ends_with_how_many_more_there_are(count: int) -> None:
    many = tuple(
        finding(f"a.b{number}", Verdict.FAIL, message=f"m{number}", line=number) for number in range(1, count + 1)
    )
    page = FORMATS["job"](sample(only=()).__class__(title="t", services=(), findings=many))
    assert ("and 2 more" in page) == (count > MAX_STORIES)


def test_a_page_without_a_cause_has_no_table() -> None:
    assert "|" not in FORMATS["job"](sample(only=(5,))) and len(FINDINGS) == 7
