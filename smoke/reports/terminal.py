"""The report for a terminal: failures first to last, what could not be told, and a summary."""

from __future__ import annotations

from smoke.finding import Finding
from smoke.judgement import Judgement, kind

_MARKS = {"critical": "FAIL", "warning": "warn", "info": "info", "error": "ERROR", "skipped": "skip", "excused": "ok"}
MAX_EVIDENCE = 5


def write(judgement: Judgement) -> str:
    """The report as plain text."""
    lines: list[str] = []
    for finding in judgement.of("error", "critical", "warning", "info", "skipped"):
        lines += _told(finding)
    for count in judgement.literal:
        lines.append(f"{count.command}: {count.lines} lines in {count.files} files")
    lines.append(summary(judgement))
    return "\n".join(lines) + "\n"


def summary(judgement: Judgement) -> str:
    """One line that says how it went."""
    counts = judgement.counts()
    names = {"critical": "critical", "warning": "warnings", "info": "notes", "skipped": "skipped", "excused": "excused"}
    parts = [f"{counts['passed']} passed", *(f"{counts[key]} {name}" for key, name in names.items() if counts[key])]
    if counts["error"]:
        parts.append(f"{counts['error']} errors of the harness")
    verdict = ("PASS", "FAIL", "UNABLE")[judgement.status]
    return f"{verdict} {judgement.title}: {', '.join(parts)}"


def _told(finding: Finding) -> list[str]:
    about = f" [{finding.subject}]" if finding.subject else ""
    lines = [f"{_MARKS[kind(finding)]:5} {finding.check}{about}: {finding.message}"]
    for each in finding.evidence[:MAX_EVIDENCE]:
        where = f"{each.path}:{each.line}" if each.line else each.path
        lines.append("      " + ": ".join(part for part in (where, each.excerpt) if part))
    if len(finding.evidence) > MAX_EVIDENCE:
        lines.append(f"      and {len(finding.evidence) - MAX_EVIDENCE} more places")
    lines += [f"      {text}" for text in (finding.why, finding.remedy) if text]
    return lines
