"""The outcome of a whole run: every finding in a fixed order, and what follows from them."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from smoke.finding import Finding, Severity, Verdict
from smoke.findingkind import KINDS, kind
from smoke.literalcount import LiteralCount

PASSED, FAILED, UNABLE = 0, 1, 2


class Judgment(Struct, frozen=True, kw_only=True):
    """What the reports are written from. Two runs over the same tree give equal ones."""

    title: str
    services: tuple[str, ...]
    findings: tuple[Finding, ...]
    strict: bool = False
    """Whether a skip counts as a critical failure."""
    literal: tuple[LiteralCount, ...] = ()

    @property
    def status(self) -> int:
        """Exit status: 0 nothing critical failed, 1 something did, 2 the harness could not do its work."""
        if any(finding.verdict is Verdict.ERROR for finding in self.findings):
            return UNABLE
        return FAILED if any(self.blocks(finding) for finding in self.findings) else PASSED

    def blocks(self, finding: Finding) -> bool:
        """Whether this finding alone makes the status 1."""
        if finding.verdict is Verdict.SKIP:
            return self.strict and finding.severity is not Severity.INFO
        return finding.verdict is Verdict.FAIL and not finding.excused and finding.severity is Severity.CRITICAL

    @property
    def undecided(self) -> tuple[str, ...]:
        """The services of which it could not be told whether they start: no check of that has passed or failed."""
        decided = {each.subject for each in self.findings if each.check.startswith(STARTING) and _decides(each)}
        asked = {each.subject for each in self.findings if each.check.startswith(STARTING)}
        return tuple(name for name in self.services if name in asked - decided)

    @property
    def verdict(self) -> str:
        """The outcome in one word: PASS only where something was decided."""
        word = ("PASS", "FAIL", "UNABLE")[self.status]
        everything = bool(self.services) and len(self.undecided) == len(self.services)
        return "UNDECIDED" if word == "PASS" and everything else word

    def counts(self) -> dict[str, int]:
        """How many findings there are: passed, critical, warning and info failures, excused, skipped, errors."""
        kinds = Counter(kind(finding) for finding in self.findings)
        return {name: kinds[name] for name in KINDS}

    def of(self, *names: str) -> list[Finding]:
        """The findings of some kinds, in order."""
        return [finding for finding in self.findings if kind(finding) in names]


STARTING = ("dockerfile.parse", "dockerfile.entrypoint", "entrypoint.")
"""The checks that say whether a container would start."""


def _decides(finding: Finding) -> bool:
    if finding.check == "dockerfile.parse":
        return finding.verdict is Verdict.FAIL
    return finding.verdict in (Verdict.PASS, Verdict.FAIL)
