"""The JSON report; `smoke/schema/report.json` publishes its schema."""

from __future__ import annotations

from typing import Any

import msgspec

from smoke.finding import Finding
from smoke.judgment import Judgment
from smoke.literalcount import LiteralCount
from smoke.published import schema_of

FORMAT = 1


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report. `status` is the exit status."""

    lucid_smoke: int
    title: str
    status: int
    strict: bool
    services: tuple[str, ...]
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    literal: tuple[LiteralCount, ...] = ()


def write(judgment: Judgment) -> str:
    """The report as one JSON document."""
    document = Document(
        lucid_smoke=FORMAT,
        title=judgment.title,
        status=judgment.status,
        strict=judgment.strict,
        services=judgment.services,
        counts=judgment.counts(),
        findings=judgment.findings,
        literal=judgment.literal,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def report_schema() -> dict[str, Any]:
    """The JSON Schema that `smoke/schema/report.json` publishes."""
    return schema_of(Document, "lucid-smoke-report")
