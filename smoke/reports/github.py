"""Annotations for GitHub Actions: one workflow command for each failure."""

from __future__ import annotations

from smoke.finding import Finding, Verdict
from smoke.findingkind import kind
from smoke.judgment import Judgment

_COMMANDS = {"critical": "error", "error": "error", "warning": "warning", "info": "notice", "skipped": "notice"}


def write(judgment: Judgment) -> str:
    """The report as lines that the runner reads on standard output."""
    lines = [_annotation(judgment, each) for each in judgment.findings if kind(each) in _COMMANDS]
    return "".join(f"{line}\n" for line in lines)


def _annotation(judgment: Judgment, finding: Finding) -> str:
    command = "error" if judgment.blocks(finding) else _COMMANDS[kind(finding)]
    first = finding.evidence[0] if finding.evidence else None
    properties = {"title": f"{finding.check} {finding.subject}".strip()}
    if first is not None and first.path:
        properties["file"] = first.path
        if first.line:
            properties["line"] = str(first.line)
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    skipped = "skipped: " if finding.verdict is Verdict.SKIP else ""
    text = " ".join(part for part in (skipped + finding.message + ".", finding.remedy) if part)
    return f"::{command} {told}::{_escaped(text, '')}"


def _escaped(text: str, more: str) -> str:
    for letter in "%\r\n" + more:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
