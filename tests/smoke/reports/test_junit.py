"""JUnit: the elements, attributes and counts that CI servers read, in agreement with the exit status."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from smoke.reports import FORMATS
from tests.smoke.reports.sample import FINDINGS, sample

# No release of a schema is on PyPI: what Jenkins (junit-10.xsd) and Ant's form of it agree on is written down here.
ATTRIBUTES = {
    "testsuites": ({"name"}, {"tests", "failures", "errors", "time"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp", "hostname"}),
    "testcase": ({"name", "classname"}, {"time"}),
    "failure": ({"message"}, {"type"}),
    "error": ({"message"}, {"type"}),
    "skipped": (set[str](), {"message"}),
    "system-out": (set[str](), set[str]()),
}
WITHIN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}


def checked(text: str) -> ET.Element:
    """The document, once every element has what it must and nothing else, and every count is right."""
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        needed, allowed = ATTRIBUTES[element.tag]
        assert needed <= {*element.keys()} <= needed | allowed, element.tag
        assert {child.tag for child in element} <= WITHIN.get(element.tag, set()), element.tag
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(list(suite.iter(tag))), (suite.attrib, tag)
    assert all(len(case) <= 1 for case in root.iter("testcase"))
    return root


def cases(root: ET.Element) -> dict[str, str]:
    return {case.attrib["classname"]: next((child.tag for child in case), "") for case in root.iter("testcase")}


def test_each_outcome_has_its_element() -> None:
    assert cases(checked(FORMATS["junit"](sample()))) == {
        "entrypoint.exists": "failure",
        "dockerfile.labels": "system-out",
        "dockerfile.stages": "system-out",
        "dockerfile.user": "skipped",
        "entrypoint.app": "skipped",
        "layout.empty": "",
        "tree.limits": "error",
    }


@pytest.mark.parametrize("only", [(0,), (1, 2), (3,), (4,), (5,), (6,), tuple(range(len(FINDINGS)))])
@pytest.mark.parametrize("strict", [False, True])
def test_failures_and_errors_agree_with_the_exit_status(only: tuple[int, ...], strict: bool) -> None:
    judgment = sample(strict=strict, only=only)
    root = checked(FORMATS["junit"](judgment))
    bad = [*root.iter("failure"), *root.iter("error")]
    assert bool(bad) == bool(judgment.status)


def test_what_xml_cannot_hold_is_replaced_and_the_rest_escaped() -> None:
    text = FORMATS["junit"](sample())
    assert "\x1b" not in text and "\x00" not in text
    failure = next(checked(text).iter("failure"))
    assert "a|b <c> `d` # [e] & \\ \N{REPLACEMENT CHARACTER}" in failure.attrib["message"]
    assert failure.text is not None and "Dockerfile:3: COPY" in failure.text and "Copy the file." in failure.text
