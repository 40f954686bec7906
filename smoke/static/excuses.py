"""The exceptions of a manifest: what each excuses, and those that excuse nothing."""

from __future__ import annotations

from msgspec.structs import replace

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, Verdict, excerpt
from smoke.manifest import Exemption, exempts
from smoke.subject import Subject

UNUSED = Check(
    "manifest.exceptions",
    Severity.WARNING,
    "Every exception of the manifest excuses something",
    "An exception that excuses nothing today hides tomorrow's failure.",
    "Take the exception out of the manifest.",
)


def excused(findings: list[Finding], subject: Subject) -> list[Finding]:
    """Apply the exceptions; one that excuses nothing is itself a finding."""
    used: set[Exemption] = set()

    def look(finding: Finding) -> Finding:
        if finding.verdict is not Verdict.FAIL:
            return finding
        paths = [evidence.path for evidence in finding.evidence if evidence.path]
        texts = [finding.message, *(evidence.excerpt for evidence in finding.evidence)]
        for exemption in subject.manifest.exceptions:
            if exempts(exemption, finding.check, paths, texts):
                used.add(exemption)
                return replace(finding, excused=exemption.reason)
        return finding

    done = [look(finding) for finding in findings]
    for exemption in subject.manifest.exceptions:
        if exemption not in used:
            where = [Evidence(subject.manifest_name, 0, excerpt(f"check = {exemption.check}: {exemption.reason}"))]
            done.append(UNUSED.fail(f"the exception of {exemption.check} excuses nothing", "", where))
    if subject.manifest.exceptions and len(used) == len(subject.manifest.exceptions):
        done.append(UNUSED.passed(f"all {len(used)} exceptions are in use"))
    return done
