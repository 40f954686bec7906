"""`dockerfile.entrypoint`: ENTRYPOINT and CMD together are a program of the image."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks import remedies
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.model.image import Image
from smoke.static.scope import Scope

ENTRYPOINT = Check(
    "dockerfile.entrypoint",
    Severity.CRITICAL,
    "what ENTRYPOINT and CMD make together is a program of the image",
    "The container ends as soon as it is started.",
    "Give CMD only what the base's entry point takes, or set ENTRYPOINT yourself, in exec form.",
)


def judge_entrypoint(scope: Scope, image: Image) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    where = at_instruction(image, start.line or final_line(image))
    if start.file:
        where = (Evidence(start.file, start.line, excerpt(" ".join(start.words))),)
    if start.trouble:
        remedy = remedies.of_script(image, scope.tree) or remedies.of_start(image)
        yield ENTRYPOINT.fail(start.trouble, name, where, remedy=remedy)
    elif start.doubt:
        yield ENTRYPOINT.skip(start.doubt, name, where)
    else:
        yield ENTRYPOINT.passed(f"it starts {' '.join(start.words)}", name, where)
