"""`dockerfile.steps`: each RUN can do its work where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.evidence import at_instruction
from smoke.static.model.image import Image
from smoke.static.regex import regex

STEPS = Check(
    "dockerfile.steps",
    Severity.CRITICAL,
    "every RUN can do its work where it stands",
    "The build stops at this step.",
    "Install what it needs, copy its files before it, or move it in front of USER.",
)


_USES = regex(r"(?:==|https?://[^\s\"']*)[\"']?\$(?:(\w+)\b|\{(\w+)\})")
"""A version or an address that a variable is part of."""


def _emptied(image: Image) -> Iterator[tuple[int, str]]:
    """Steps that use an argument from before the first FROM, which their stage does not declare again."""
    before = {*image.stages.variables.declared}
    declared: dict[int, set[str]] = {}
    for stage in image.stages.stages:
        known = {*declared.get(stage.parent, ())} if stage.parent is not None else set()
        for each in stage.instructions:
            if each.keyword in ("ARG", "ENV"):
                known |= {word.partition("=")[0] for word in each.words}
            for match in _USES.finditer(each.text) if each.keyword == "RUN" else ():
                name = match[1] or match[2]
                given = re.search(rf"\b{name}=|\bread\b.*\b{name}\b|\bfor\s+{name}\b", each.text)
                if name in before - known and not given and stage.parent is None and image.base is not None:
                    message = (
                        f"{match[0].lstrip('=')} is empty: {name} is declared before FROM, and not again in this stage"
                    )
                    yield each.line, message
        declared[stage.index] = known


def judge_steps(image: Image) -> Iterator[Finding]:
    name = image.service.name
    for line, message in _emptied(image):
        yield STEPS.fail(message, name, at_instruction(image, line), remedy="Write ARG with its name behind the FROM.")
    for failure in image.failures:
        remedy = remedies.bring(image, failure.lacks) if failure.lacks else ""
        yield STEPS.fail(failure.message, name, at_instruction(image, failure.line), remedy=remedy)
    if not image.failures:
        count = sum(each.keyword == "RUN" for stage in image.stages.stages for each in stage.instructions)
        yield STEPS.passed(f"nothing speaks against its {count} RUN", name)
