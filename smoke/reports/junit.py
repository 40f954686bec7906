"""The JUnit XML report, as CI servers read it: a suite for each family, a case for each finding."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from smoke.finding import Finding, Verdict
from smoke.findingkind import families, kind, place
from smoke.judgment import Judgment

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(judgment: Judgment) -> str:
    """The report as one XML document."""
    suites = ET.Element("testsuites", name=_legal(judgment.title))
    for family in families(judgment.findings):
        found = [each for each in judgment.findings if each.check.partition(".")[0] == family]
        failures = sum(judgment.blocks(each) for each in found)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=family,
            tests=str(len(found)),
            failures=str(failures),
            errors=str(sum(each.verdict is Verdict.ERROR for each in found)),
            skipped=str(sum(kind(each) in ("skipped", "excused") and not judgment.blocks(each) for each in found)),
        )
        for finding in found:
            _case(suite, finding, judgment.blocks(finding))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, finding: Finding, blocks: bool) -> None:
    """What makes the exit status 1 is a failure; other findings are told in a case that passes."""
    name = " ".join(part for part in (finding.check, finding.subject, place(finding)) if part)
    case = ET.SubElement(suite, "testcase", classname=finding.check, name=_legal(name))
    message = _legal(finding.message)
    match kind(finding):
        case "passed":
            pass
        case "skipped" if not blocks:
            ET.SubElement(case, "skipped", message=message)
        case "excused":
            ET.SubElement(case, "skipped", message=_legal(f"excused: {finding.excused} ({finding.message})"))
        case "error":
            ET.SubElement(case, "error", message=message).text = _details(finding)
        case severity if not blocks:
            ET.SubElement(case, "system-out").text = _legal(f"{severity}: {finding.message}\n") + _details(finding)
        case severity:
            ET.SubElement(case, "failure", type=severity, message=message).text = _details(finding)


def _details(finding: Finding) -> str:
    lines = [f"{each.path}:{each.line}: {each.excerpt}" for each in finding.evidence]
    return _legal("\n".join([*lines, finding.why, finding.remedy]))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
