"""The TAP report (Test Anything Protocol, version 14)."""

from __future__ import annotations

from smoke.finding import Finding
from smoke.findingkind import kind, place
from smoke.judgment import Judgment


def write(judgment: Judgment) -> str:
    """The report as TAP; details stand in YAML blocks."""
    lines = ["TAP version 14", f"1..{len(judgment.findings)}"]
    for number, finding in enumerate(judgment.findings, 1):
        lines += _point(number, finding, judgment.blocks(finding))
    return "\n".join(lines) + "\n"


def _point(number: int, finding: Finding, blocks: bool) -> list[str]:
    what = kind(finding)
    state = "not ok" if blocks or what == "error" else "ok"
    name = " ".join(part for part in (finding.check, finding.subject) if part)
    line = f"{state} {number} - {_plain(name)}: {_plain(finding.message)}"
    if what == "skipped" and not blocks:
        return [f"{line} # SKIP {_plain(finding.message)}"]
    if what == "excused":
        return [f"{line} # SKIP excused: {_plain(finding.excused)}"]
    if what == "passed":
        return [line]
    details = {"severity": what, "at": place(finding), "why": finding.why, "remedy": finding.remedy}
    block = [f"  {key}: {_quoted(value)}" for key, value in details.items() if value]
    seen = [f"    - {_quoted(f'{each.path}:{each.line}: {each.excerpt}')}" for each in finding.evidence]
    return [line, "  ---", *block, *(["  evidence:", *seen] if seen else []), "  ..."]


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("#", "\\#")


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
