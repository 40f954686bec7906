"""Findings that a check makes: what they carry, and what every report can write."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from smoke.check import TABLE, Check
from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.static.model.doubt import Doubt, DoubtCause


@pytest.fixture
def check() -> Iterator[Check]:
    made = Check("sample.check", Severity.WARNING, "it holds", "It ends.", "Mend it.")
    yield made
    del TABLE[made.id]


def test_a_check_is_in_the_table_as_soon_as_it_is_made(check: Check) -> None:
    assert TABLE["sample.check"] is check


def test_a_pass_and_a_skip_explain_and_advise_nothing(check: Check) -> None:
    """A reader looks for what to do; beside a pass there is nothing."""
    for finding in (check.passed("it is so"), check.skip("nobody knows")):
        assert (finding.why, finding.remedy) == ("", "")
        assert finding.severity is Severity.WARNING
    assert check.passed("").verdict is Verdict.PASS
    assert check.skip("").verdict is Verdict.SKIP


def test_a_failure_has_the_reason_and_the_remedy_of_its_check_unless_it_has_better_ones(check: Check) -> None:
    at = [Evidence("Dockerfile", 3, "CMD")]
    assert check.fail("no", "api", at) == Finding(
        check="sample.check",
        severity=Severity.WARNING,
        verdict=Verdict.FAIL,
        subject="api",
        message="no",
        evidence=tuple(at),
        why="It ends.",
        remedy="Mend it.",
    )
    better = check.fail("no", remedy="Type this.", why="It hangs.", severity=Severity.INFO)
    assert (better.remedy, better.why, better.severity) == ("Type this.", "It hangs.", Severity.INFO)


def test_a_doubt_of_the_model_is_a_plain_text_in_a_finding(check: Check) -> None:
    """A doubt is a text with a cause; msgspec, which writes the JSON report, refuses every subclass of `str`."""
    doubt = Doubt("the base is unknown", DoubtCause.UNKNOWN_BASE)
    for finding in (check.skip(doubt), check.passed(doubt), check.fail(doubt, doubt, remedy=doubt, why=doubt)):
        assert finding.message == "the base is unknown"
        assert b'"message":"the base is unknown"' in msgspec.json.encode(finding)
