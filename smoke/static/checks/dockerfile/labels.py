"""`dockerfile.labels`: the labels asked for are there, and none expands to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.model.image import Image

LABELS = Check(
    "dockerfile.labels",
    Severity.WARNING,
    "every label asked for is there and not empty",
    "Nobody can tell which source an image on the machine was made from.",
    "Declare the ARG again in the stage that uses it.",
)


def judge_labels(image: Image) -> Iterator[Finding]:
    name = image.service.name
    failed = False
    for wanted in image.service.labels:
        if wanted not in image.labels:
            failed = True
            yield LABELS.fail(f"the label {wanted} is missing", name, at_instruction(image, final_line(image)))
    for label in image.labels.values():
        if label.unset:
            failed = True
            names = ", ".join(label.unset)
            message = f"the label {label.name} uses {names}, which is not declared in this stage: it expands to nothing"
            yield LABELS.fail(message, name, at_instruction(image, label.line))
        elif not label.value.strip():
            failed = True
            severity = Severity.WARNING if label.name in image.service.labels else Severity.INFO
            yield LABELS.fail(
                f"the label {label.name} is empty", name, at_instruction(image, label.line), severity=severity
            )
    if not failed:
        yield LABELS.passed(f"{len(image.labels)} labels", name)
