"""Findings by kind, place and family."""

from __future__ import annotations

import pytest

from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.findingkind import KINDS, families, kind, place


def finding(verdict: Verdict, severity: Severity = Severity.CRITICAL, check: str = "a.b", excused: str = "") -> Finding:
    return Finding(check=check, severity=severity, verdict=verdict, message="m", subject="s", excused=excused)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (finding(Verdict.PASS), "passed"),
        (finding(Verdict.SKIP), "skipped"),
        (finding(Verdict.ERROR), "error"),
        (finding(Verdict.FAIL), "critical"),
        (finding(Verdict.FAIL, Severity.WARNING), "warning"),
        (finding(Verdict.FAIL, excused="why"), "excused"),
    ],
)
def test_a_failure_counts_by_its_severity_unless_it_is_excused(found: Finding, expected: str) -> None:
    assert kind(found) == expected and expected in KINDS


def test_families_come_in_the_order_in_which_they_appear() -> None:
    assert families([finding(Verdict.PASS, check=each) for each in ("b.x", "a.y", "b.z")]) == ["b", "a"]


def test_the_place_is_the_first_evidence() -> None:
    at = Finding(
        check="a.b",
        severity=Severity.INFO,
        verdict=Verdict.FAIL,
        message="m",
        evidence=(Evidence("f", 3), Evidence("g")),
    )
    assert place(at) == "f:3" and place(finding(Verdict.FAIL)) == ""
