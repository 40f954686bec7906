"""One cause, told once, in each report for people; and reports for machines that agree with the exit status."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.judgment import Judgment
from smoke.reports import FORMATS
from smoke.reports.stories import stories
from tests.smoke.cases import judge_files

AT = (Evidence("Dockerfile", 3, "CMD x"),)


def finding(
    check: str, message: str, *, subject: str = "a", severity: Severity = Severity.CRITICAL, at: bool = True
) -> Finding:
    return Finding(
        check=check,
        severity=severity,
        verdict=Verdict.FAIL,
        subject=subject,
        message=message,
        evidence=AT if at else (),
        why="It ends.",
        remedy="Mend it.",
    )


def judged(*findings: Finding, strict: bool = False, services: tuple[str, ...] = ("a",)) -> Judgment:
    return Judgment(title="t", services=services, findings=findings, strict=strict)


def test_what_stands_at_one_line_or_says_the_same_is_one_story() -> None:
    judgment = judged(
        finding("x.style", "other", severity=Severity.WARNING, at=False),
        finding("dockerfile.entrypoint", "no x"),
        finding("entrypoint.exists", "there is no x"),
        finding("dockerfile.entrypoint", "no x", subject="b", at=False),
    )
    first, second = stories(judgment)
    assert (first.kind, first.services) == ("critical", ("a", "b")) and second.kind == "warning"
    assert first.checks == ("dockerfile.entrypoint", "entrypoint.exists")
    text = FORMATS["text"](judgment)
    assert text.startswith("FAIL  dockerfile.entrypoint [a, b]: no x\n") and text.count("Mend it.") == 2
    assert "so too entrypoint.exists: there is no x" in text
    page = FORMATS["job"](judgment)
    assert page.count("\n| ") == 3 and "no x (a, b)" in page


def test_a_warning_fails_nothing_and_a_strict_skip_does() -> None:
    skip = Finding(check="y.z", severity=Severity.CRITICAL, verdict=Verdict.SKIP, message="unknown", subject="a")
    warning = finding("x.style", "other", severity=Severity.WARNING)
    for strict, failures in ((False, 0), (True, 1)):
        judgment = judged(warning, skip, strict=strict)
        assert judgment.status == failures
        suites = ET.fromstring(FORMATS["junit"](judgment))
        assert len(list(suites.iter("failure"))) == failures
        assert sum(line.startswith("not ok") for line in FORMATS["tap"](judgment).splitlines()) == failures


def test_a_service_of_which_nothing_is_decided_is_said(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM example.org/x:1\nCOPY a.txt /\n", "a.txt": ""}
    judgment = judge_files(tmp_path, files)
    assert judgment.verdict == "UNDECIDED" and judgment.status == 0 and len(judgment.undecided) == 1
    assert FORMATS["text"](judgment).splitlines()[-1].startswith("UNDECIDED ")


def test_nothing_found_is_no_pass(tmp_path: Path) -> None:
    judgment = judge_files(tmp_path, {"README.md": "x"})
    assert judgment.status == 2 and judgment.verdict == "UNABLE"


def test_sarif_tells_two_findings_at_one_line_apart() -> None:
    findings = [
        Finding(
            check="dockerfile.stages",
            severity=Severity.INFO,
            verdict=Verdict.FAIL,
            message=message,
            evidence=(Evidence("Dockerfile", 1, "FROM x"),),
        )
        for message in ("not distroless", "one stage only")
    ]

    def fingerprints() -> list[str]:
        [run] = json.loads(FORMATS["sarif"](judged(*findings)))["runs"]
        return [each["partialFingerprints"]["lucidSmoke/v1"] for each in run["results"]]

    assert len({*fingerprints()}) == 2 and fingerprints() == fingerprints()


def test_sarif_has_places_rules_that_help_and_fingerprints_that_stay() -> None:
    def result(line: int) -> dict[str, object]:
        moved = Finding(
            check="dockerfile.entrypoint",
            severity=Severity.CRITICAL,
            verdict=Verdict.FAIL,
            message="no x",
            evidence=(Evidence("a b/Dockerfile", line, "CMD x"), Evidence("c.py", 1)),
        )
        document = json.loads(FORMATS["sarif"](judged(moved, finding("tree.left", "nowhere", at=False))))
        [run] = document["runs"]
        [rule] = run["tool"]["driver"]["rules"]
        assert rule["id"] == "dockerfile.entrypoint" and rule["help"]["text"] and rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] == "error"
        [found] = run["results"]
        return found  # type: ignore[no-any-return]

    first, second = result(3), result(9)
    place = first["locations"][0]["physicalLocation"]  # type: ignore[index]
    assert place["artifactLocation"]["uri"] == "a%20b/Dockerfile" and place["region"]["startLine"] == 3
    assert first["partialFingerprints"] == second["partialFingerprints"] and len(first["relatedLocations"]) == 1  # type: ignore[arg-type]
