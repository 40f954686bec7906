"""Annotations: what a runner reads is escaped, and leads to file and line."""

from __future__ import annotations

from smoke.finding import Verdict
from smoke.reports import FORMATS
from tests.smoke.reports.sample import finding, sample


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
