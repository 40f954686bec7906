"""`dockerfile.parse`: the Dockerfile can be read, and a build goes to its end."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.evidence import at_instruction
from smoke.static.model.image import Image

PARSE = Check(
    "dockerfile.parse",
    Severity.CRITICAL,
    "the Dockerfile can be read",
    "The build stops before its first step.",
    "Mend the line; docker build says the same.",
)


def judge_parse(image: Image) -> Iterator[Finding]:
    name = image.service.name
    if image.parsed.errors:
        for error in image.parsed.errors:
            yield PARSE.fail(f"it cannot be read: {error.message}", name, [Evidence(image.dockerfile, error.line)])
    elif image.broken:
        yield PARSE.fail(image.broken, name, [Evidence(image.dockerfile)])
    elif image.refused:
        for error in image.refused:
            yield PARSE.fail(f"the build stops here: {error.message}", name, at_instruction(image, error.line))
    else:
        yield PARSE.passed(f"{len(image.parsed.instructions)} instructions in {len(image.stages.stages)} stages", name)
