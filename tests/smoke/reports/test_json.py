"""The JSON report: whoever reads it has all that was found, by the schema that is published."""

from __future__ import annotations

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from smoke.findingkind import KINDS
from smoke.reports.json import FORMAT, Document, report_schema, write
from tests.smoke.reports.sample import FINDINGS, sample


def test_what_is_written_is_read_back_whole() -> None:
    """A machine that takes the report decides by the same findings as the one that wrote it."""
    judgment = sample(strict=True)
    read = msgspec.json.decode(write(judgment), type=Document)
    assert (read.findings, read.literal, read.services) == (judgment.findings, judgment.literal, judgment.services)
    assert (read.title, read.strict, read.status) == (judgment.title, True, judgment.status)
    assert read.lucid_smoke == FORMAT


@pytest.mark.parametrize("only", [(), *((number,) for number in range(len(FINDINGS)))])
@pytest.mark.parametrize("strict", [False, True])
def test_it_keeps_to_its_schema_and_agrees_with_the_exit_status(only: tuple[int, ...], strict: bool) -> None:
    judgment = sample(strict=strict, only=only)
    document = json.loads(write(judgment))
    Draft202012Validator(report_schema()).validate(document)
    assert document["status"] == judgment.status
    assert [*document["counts"]] == [*KINDS], "a kind without a finding has its zero, so that readers need no default"
    assert sum(document["counts"].values()) == len(only)


def test_the_schema_refuses_what_no_report_is() -> None:
    validator = Draft202012Validator(report_schema())
    document = json.loads(write(sample()))
    assert not validator.is_valid({name: value for name, value in document.items() if name != "status"})
    assert not validator.is_valid({**document, "status": "0"})
    assert not validator.is_valid({**document, "findings": [{**document["findings"][0], "verdict": "maybe"}]})


def test_it_is_one_text_that_ends_with_its_line() -> None:
    text = write(sample())
    assert text.endswith("}\n") and text == write(sample())
    assert "\x1b" not in text and "\x00" not in text, "control characters are escaped: a terminal may show it"
