"""The SARIF 2.1.0 report, as code scanning reads it: what failed at a place of the tree, with rules that help."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any
from urllib.parse import quote

import msgspec

from smoke.check import TABLE
from smoke.finding import Evidence, Finding
from smoke.findingkind import kind
from smoke.judgment import Judgment

_LEVELS = {"critical": "error", "error": "error", "warning": "warning", "info": "note"}


def write(judgment: Judgment) -> str:
    """The report as one JSON document."""
    found = [each for each in judgment.of("critical", "error", "warning", "info", "excused") if _places(each)]
    ids = sorted({finding.check for finding in found})
    told = {finding.check: finding for finding in reversed(found)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "lucid-smoke",
                "rules": [_rule(each, told[each]) for each in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(each, ids.index(each.check), fingerprint)
            for each, fingerprint in zip(found, _fingerprints(found), strict=True)
        ],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _rule(check: str, finding: Finding) -> dict[str, Any]:
    known = TABLE.get(check)
    title, why, remedy = (known.title, known.why, known.remedy) if known else (check, finding.why, finding.remedy)
    severity = str(known.severity if known else finding.severity)
    text = f"{why} {remedy}".strip() or title
    return {
        "id": check,
        "name": "".join(part.capitalize() for part in check.replace("-", ".").split(".")),
        "shortDescription": {"text": title[:1].upper() + title[1:]},
        "fullDescription": {"text": why or title},
        "help": {"text": text, "markdown": f"**Why:** {why or title}\n\n**What to do:** {remedy or title}"},
        "defaultConfiguration": {"level": _LEVELS.get(severity, "note")},
        "properties": {"tags": [check.partition(".")[0]], "precision": "high"},
    }


def _places(finding: Finding) -> list[Evidence]:
    return [each for each in finding.evidence if each.path]


def _result(finding: Finding, rule: int, fingerprint: str) -> dict[str, Any]:
    parts = [finding.message + ".", finding.why, finding.remedy]
    locations = [_location(each) for each in _places(finding)]
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": _LEVELS.get(kind(finding), "") or _LEVELS[str(finding.severity)],
        "message": {"text": " ".join(part for part in parts if part)},
        "locations": locations[:1],
        "partialFingerprints": {"lucidSmoke/v1": fingerprint},
        "properties": {"subject": finding.subject},
    }
    if locations[1:]:
        result["relatedLocations"] = [{"id": number, **each} for number, each in enumerate(locations[1:], 1)]
    if finding.excused:
        result["suppressions"] = [{"kind": "external", "justification": finding.excused}]
    return result


def _fingerprints(found: list[Finding]) -> list[str]:
    """The same for the same finding after lines were moved: what, of which service, in which file, at which text. Of
    several that are alike in this, viewers would take all for one: the later ones are numbered."""
    seen: Counter[tuple[str, ...]] = Counter()
    made = []
    for finding in found:
        first = _places(finding)[0]
        parts = (finding.check, finding.subject, first.path, first.excerpt or finding.message)
        seen[parts] += 1
        numbered = parts if seen[parts] == 1 else (*parts, str(seen[parts]))
        made.append(hashlib.sha256("\0".join(numbered).encode()).hexdigest()[:32])
    return made


def _location(evidence: Evidence) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(evidence.path)}}
    region: dict[str, Any] = {"startLine": max(evidence.line, 1)}
    if evidence.line and evidence.excerpt:
        region["snippet"] = {"text": evidence.excerpt}
    return {"physicalLocation": {**physical, "region": region}}
