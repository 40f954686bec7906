"""The summary of a GitHub job: the outcome, and each cause with its place and its remedy, short enough for one page."""

from __future__ import annotations

from smoke.finding import Finding
from smoke.findingkind import place
from smoke.judgment import Judgment
from smoke.reports.markdown import plain
from smoke.reports.stories import FailureStory, stories
from smoke.reports.terminal import summary

MAX_STORIES = 50
_MARKS = {"critical": "\N{CROSS MARK}", "error": "\N{CROSS MARK}", "warning": "\N{WARNING SIGN}"}


def write(judgment: Judgment) -> str:
    """The report as GitHub's Markdown."""
    found = stories(judgment)
    lines = [f"## {plain(summary(judgment))}", ""]
    if found:
        lines += ["| | what | where | what to do |", "|---|---|---|---|", *map(_row, found[:MAX_STORIES])]
    if len(found) > MAX_STORIES:
        lines.append(f"\nand {len(found) - MAX_STORIES} more")
    skipped = judgment.of("skipped")
    if skipped:
        lines += ["", f"<details><summary>{len(skipped)} checks could not tell</summary>", ""]
        lines += [f"- {plain(text)}" for text in dict.fromkeys(map(_reason, skipped))]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _reason(finding: Finding) -> str:
    return f"{finding.check}: {finding.message}"


def _row(story: FailureStory) -> str:
    finding = story.told
    about = f" ({', '.join(story.services)})" if story.services else ""
    checks = ", ".join(story.checks)
    what = f"{plain(finding.message + about)}<br>{plain(checks)}"
    return f"| {_MARKS[story.kind]} | {what} | {plain(place(finding))} | {plain(finding.remedy)} |"
