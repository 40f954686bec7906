"""What a check is: an id with its severity, its reason and its remedy, and how it reports."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from smoke.finding import Evidence, Finding, Severity, Verdict

TABLE: dict[str, Check] = {}
"""Every check that was made, by its id: reports describe checks from it."""


class Check(Struct, frozen=True):
    """One row of the table of checks. Each module of `smoke/static/checks` defines its own as constants."""

    id: str
    severity: Severity
    title: str
    why: str
    """What a failure does to the container when it starts, in one sentence."""
    remedy: str
    """What to do about a failure, in one sentence; `fail` can say it more exactly."""

    def __post_init__(self) -> None:
        TABLE[self.id] = self

    def passed(self, message: str, subject: str = "", evidence: Iterable[Evidence] = ()) -> Finding:
        """It was looked at and holds."""
        return self._finding(Verdict.PASS, message, subject, evidence)

    def fail(
        self,
        message: str,
        subject: str = "",
        evidence: Iterable[Evidence] = (),
        *,
        remedy: str = "",
        why: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """It was looked at and does not hold."""
        return self._finding(
            Verdict.FAIL,
            message,
            subject,
            evidence,
            why=why or self.why,
            remedy=remedy or self.remedy,
            severity=severity or self.severity,
        )

    def skip(self, reason: str, subject: str = "", evidence: Iterable[Evidence] = ()) -> Finding:
        """It cannot be told, and why."""
        return self._finding(Verdict.SKIP, reason, subject, evidence)

    def _finding(
        self,
        verdict: Verdict,
        message: str,
        subject: str,
        evidence: Iterable[Evidence],
        *,
        why: str = "",
        remedy: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        # `str` because a text may be a `Doubt`, and msgspec writes no subclass of `str`.
        return Finding(
            check=self.id,
            severity=severity or self.severity,
            verdict=verdict,
            subject=str(subject),
            message=str(message),
            evidence=tuple(evidence),
            why=str(why),
            remedy=str(remedy),
        )
