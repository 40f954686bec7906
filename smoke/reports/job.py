"""The summary of a GitHub job: the outcome, and each cause with its place and its remedy, short enough for one page."""

from __future__ import annotations

from smoke.finding import Finding
from smoke.judgment import Judgment, place
from smoke.reports.stories import FailureStory, stories
from smoke.reports.terminal import summary

MAX_STORIES = 50
_MARKS = {"critical": "\N{CROSS MARK}", "error": "\N{CROSS MARK}", "warning": "\N{WARNING SIGN}"}


def write(judgment: Judgment) -> str:
    """The report as GitHub's Markdown."""
    found = stories(judgment)
    lines = [f"## {_plain(summary(judgment))}", ""]
    if found:
        lines += ["| | what | where | what to do |", "|---|---|---|---|", *map(_row, found[:MAX_STORIES])]
    if len(found) > MAX_STORIES:
        lines.append(f"\nand {len(found) - MAX_STORIES} more")
    skipped = judgment.of("skipped")
    if skipped:
        lines += ["", f"<details><summary>{len(skipped)} checks could not tell</summary>", ""]
        lines += [f"- {_plain(text)}" for text in dict.fromkeys(map(_reason, skipped))]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _reason(finding: Finding) -> str:
    return f"{finding.check}: {finding.message}"


def _row(story: FailureStory) -> str:
    finding = story.told
    about = f" ({', '.join(story.services)})" if story.services else ""
    checks = ", ".join(story.checks)
    what = f"{_plain(finding.message + about)}<br>{_plain(checks)}"
    return f"| {_MARKS[story.kind]} | {what} | {_plain(place(finding))} | {_plain(finding.remedy)} |"


def _plain(text: str) -> str:
    cleaned = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return cleaned.replace("`", "'").replace("[", "\\[")
