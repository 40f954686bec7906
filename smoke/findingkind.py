"""Findings by kind, place and family, as reports put them in order."""

from __future__ import annotations

from collections.abc import Iterable

from smoke.finding import Finding, Verdict

KINDS = ("passed", "critical", "warning", "info", "excused", "skipped", "error")
"""Every outcome of a finding, in report order."""


def kind(finding: Finding) -> str:
    """Which of `KINDS` a finding is."""
    match finding.verdict:
        case Verdict.PASS:
            return "passed"
        case Verdict.SKIP:
            return "skipped"
        case Verdict.ERROR:
            return "error"
        case Verdict.FAIL:
            return "excused" if finding.excused else str(finding.severity)


def place(finding: Finding) -> str:
    """Where a finding is, as `file:line`; empty when it names no file."""
    if not finding.evidence or not finding.evidence[0].path:
        return ""
    first = finding.evidence[0]
    return f"{first.path}:{first.line}" if first.line else first.path


def families(findings: Iterable[Finding]) -> list[str]:
    """The families of the checks (what stands before the dot), in order of appearance."""
    return list(dict.fromkeys(finding.check.partition(".")[0] for finding in findings))
