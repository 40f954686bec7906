"""`dockerfile.steps`: each RUN can do its work where it stands."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.evidence import at_instruction
from smoke.static.model.image import Image

STEPS = Check(
    "dockerfile.steps",
    Severity.CRITICAL,
    "every RUN can do its work where it stands",
    "The build stops at this step.",
    "Install what it needs, copy its files before it, or move it in front of USER.",
)


def judge_steps(image: Image) -> Iterator[Finding]:
    name = image.service.name
    for failure in image.failures:
        remedy = remedies.bring(image, failure.lacks) if failure.lacks else ""
        yield STEPS.fail(failure.message, name, at_instruction(image, failure.line), remedy=remedy)
    if not image.failures:
        count = sum(each.keyword == "RUN" for stage in image.stages.stages for each in stage.instructions)
        yield STEPS.passed(f"nothing speaks against its {count} RUN", name)
