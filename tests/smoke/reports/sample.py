"""One finding of each outcome, with what a format has to escape."""

from __future__ import annotations

from smoke.finding import Evidence, Finding, Severity, Verdict
from smoke.judgment import Judgment
from smoke.literalcount import LiteralCount

ODD = "a|b <c> `d` # [e] & \\ \x1b\x00 'f' \"g\""
WHY, REMEDY = "It ends as it starts.", "Copy the file."


def finding(
    check: str,
    verdict: Verdict,
    severity: Severity = Severity.CRITICAL,
    excused: str = "",
    message: str = "",
    line: int = 3,
) -> Finding:
    said = verdict in (Verdict.FAIL, Verdict.ERROR)
    return Finding(
        check=check,
        severity=severity,
        verdict=verdict,
        subject="shop",
        message=message or f"message of {check}",
        evidence=(Evidence("Dockerfile", line, f"COPY {ODD}"),) if said else (),
        why=WHY if said else "",
        remedy=REMEDY if said else "",
        excused=excused,
    )


FINDINGS = (
    finding("entrypoint.exists", Verdict.FAIL, message=f"there is no {ODD}"),
    finding("dockerfile.labels", Verdict.FAIL, Severity.WARNING, line=5),
    finding("dockerfile.stages", Verdict.FAIL, Severity.INFO),
    finding("dockerfile.user", Verdict.FAIL, excused="it never promised that"),
    finding("entrypoint.app", Verdict.SKIP),
    finding("layout.empty", Verdict.PASS),
    finding("tree.limits", Verdict.ERROR, line=0),
)


def sample(*, strict: bool = False, only: tuple[int, ...] = tuple(range(len(FINDINGS)))) -> Judgment:
    """A judgment of these findings, or some of them."""
    literal = (LiteralCount("grep -r 'a|b' .", 3, 2),)
    kept = tuple(FINDINGS[number] for number in only)
    return Judgment(title="Shop <1>", services=("shop",), findings=kept, strict=strict, literal=literal)
