"""The report for a terminal: failures by their cause, worst first; what passed or cannot be told only counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from smoke.finding import Finding
from smoke.judgment import Judgment
from smoke.reports.stories import FailureStory, stories

_MARKS = {"critical": "FAIL", "warning": "warn", "error": "ERROR"}
MAX_EVIDENCE = 5
MAX_REASONS = 5


def write(judgment: Judgment) -> str:
    """The report as plain text."""
    lines: list[str] = []
    for story in stories(judgment):
        lines += [*_told(story), ""]
    lines += [f"note  {_about(each)}{each.message}" for each in _once(judgment.of("info"))]
    lines += _skipped(judgment)
    for count in judgment.literal:
        lines.append(f"{count.command}: {count.lines} lines in {count.files} files")
    lines.append(summary(judgment))
    return "\n".join(lines) + "\n"


def summary(judgment: Judgment) -> str:
    """One line that says how it went."""
    counts = judgment.counts()
    names = {"critical": "critical", "warning": "warnings", "info": "notes", "skipped": "skipped", "excused": "excused"}
    parts = [f"{counts['passed']} passed", *(f"{counts[key]} {name}" for key, name in names.items() if counts[key])]
    if counts["error"]:
        parts.append(f"{counts['error']} errors")
    if judgment.undecided:
        parts.append(f"undecided: {', '.join(judgment.undecided)}")
    return f"{judgment.verdict} {judgment.title}: {', '.join(parts)}"


def _told(story: FailureStory) -> list[str]:
    finding = story.told
    about = f" [{', '.join(story.services)}]" if story.services else ""
    lines = [f"{_MARKS[story.kind]:5} {finding.check}{about}: {finding.message}"]
    places = dict.fromkeys(each for found in story.findings for each in found.evidence)
    for each in list(places)[:MAX_EVIDENCE]:
        where = f"{each.path}:{each.line}" if each.line else each.path
        lines.append("      " + ": ".join(part for part in (where, each.excerpt) if part))
    if len(places) > MAX_EVIDENCE:
        lines.append(f"      and {len(places) - MAX_EVIDENCE} more places")
    for other in _once(found for found in story.findings[1:] if found.message != finding.message):
        lines.append(f"      so too {other.check}: {other.message}")
    lines += [f"      {label}: {text}" for label, text in (("why", finding.why), ("do", finding.remedy)) if text]
    return lines


def _about(finding: Finding) -> str:
    return f"{finding.check} [{finding.subject}]: " if finding.subject else f"{finding.check}: "


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Each of several findings that say the same once."""
    found: dict[tuple[str, str], Finding] = {}
    for each in findings:
        found.setdefault((each.check, each.message), each)
    return list(found.values())


def _skipped(judgment: Judgment) -> list[str]:
    """What cannot be told: the commonest reasons, and how many there are."""
    blocking = [each for each in judgment.of("skipped") if judgment.blocks(each)]
    lines = [f"skip  {_about(each)}{each.message}" for each in blocking]
    reasons = Counter(each.message for each in judgment.of("skipped") if not judgment.blocks(each))
    lines += [f"skip  {number} checks: {reason}" for reason, number in reasons.most_common(MAX_REASONS)]
    if len(reasons) > MAX_REASONS:
        lines.append(f"skip  and {len(reasons) - MAX_REASONS} more reasons: --report markdown has them all")
    return lines
