"""The SARIF 2.1.0 report, as code scanning reads it. Passes are results too, of kind `pass`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from smoke.finding import Evidence, Finding
from smoke.judgement import Judgement, kind

_LEVELS = {"critical": "error", "error": "error", "warning": "warning", "info": "note", "excused": "none"}
_KINDS = {"passed": "pass", "skipped": "notApplicable"}


def write(judgement: Judgement) -> str:
    """The report as one JSON document."""
    ids = list(dict.fromkeys(finding.check for finding in judgement.findings))
    rules = [{"id": each, "name": each.title().replace(".", "")} for each in ids]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "lucid-smoke", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, ids.index(each.check)) for each in judgement.findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    what = kind(finding)
    parts = [finding.message, finding.why, finding.remedy]
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "kind": _KINDS.get(what, "fail"),
        "level": _LEVELS.get(what, "none"),
        "message": {"text": " ".join(part for part in parts if part)},
        "properties": {"subject": finding.subject, "severity": str(finding.severity), "verdict": str(finding.verdict)},
    }
    locations = [_location(each) for each in finding.evidence if each.path]
    if locations:
        result["locations"] = locations[:1]
        if locations[1:]:
            result["relatedLocations"] = locations[1:]
    if finding.excused:
        result["suppressions"] = [{"kind": "external", "justification": finding.excused}]
        result["level"] = _LEVELS[str(finding.severity)]
    return result


def _location(evidence: Evidence) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(evidence.path)}}
    if evidence.line:
        physical["region"] = {"startLine": evidence.line, "snippet": {"text": evidence.excerpt}}
    return {"physicalLocation": physical}
