"""What follows from the findings of a run: its status, its word and its counts."""

from __future__ import annotations

import pytest

from smoke.finding import Finding, Severity, Verdict
from smoke.findingkind import kind
from smoke.judgment import Judgment


def finding(verdict: Verdict, severity: Severity = Severity.CRITICAL, check: str = "a.b", excused: str = "") -> Finding:
    return Finding(check=check, severity=severity, verdict=verdict, message="m", subject="s", excused=excused)


def judgment(*findings: Finding, strict: bool = False) -> Judgment:
    return Judgment(title="t", services=("s",), findings=findings, strict=strict)


@pytest.mark.parametrize(
    ("found", "strict", "status"),
    [
        (finding(Verdict.PASS), False, 0),
        (finding(Verdict.FAIL), False, 1),
        (finding(Verdict.FAIL, Severity.WARNING), True, 0),
        (finding(Verdict.FAIL, excused="why"), False, 0),
        (finding(Verdict.SKIP), False, 0),
        (finding(Verdict.SKIP), True, 1),
        (finding(Verdict.SKIP, Severity.INFO), True, 0),
        (finding(Verdict.ERROR), False, 2),
    ],
)
def test_the_status_is_that_of_the_worst(found: Finding, strict: bool, status: int) -> None:
    assert judgment(finding(Verdict.PASS), found, strict=strict).status == status


def test_nothing_decided_is_no_pass() -> None:
    skipped = finding(Verdict.SKIP, check="entrypoint.exists")
    assert judgment(skipped).verdict == "UNDECIDED" and judgment(skipped).undecided == ("s",)
    assert judgment(skipped, finding(Verdict.PASS, check="entrypoint.imports")).verdict == "PASS"
    parsed = finding(Verdict.PASS, check="dockerfile.parse")
    assert judgment(skipped, parsed).verdict == "UNDECIDED", "that it can be read does not say that it starts"
    assert judgment(skipped, finding(Verdict.ERROR)).verdict == "UNABLE"


def test_findings_are_counted_by_what_they_come_to() -> None:
    found = judgment(finding(Verdict.PASS), finding(Verdict.FAIL), finding(Verdict.FAIL, Severity.INFO))
    assert {name: count for name, count in found.counts().items() if count} == {"passed": 1, "critical": 1, "info": 1}
    assert [kind(each) for each in found.of("critical", "info")] == ["critical", "info"]
