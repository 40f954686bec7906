"""`dockerfile.context`: what COPY and ADD bring is in the build context."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.evidence import at_instruction
from smoke.static.generated import made_beforehand
from smoke.static.model.build_failure import Lack
from smoke.static.model.image import Image
from smoke.static.scope import Scope

CONTEXT = Check(
    "dockerfile.context",
    Severity.CRITICAL,
    "every COPY and ADD finds its source in the build context",
    "The build stops at this step.",
    "Correct the path, the build context or .dockerignore.",
)


def judge_context(scope: Scope, image: Image) -> Iterator[Finding]:
    name = image.service.name
    lacking = [missing for missing in image.missing if missing.lack is not Lack.STAGE]
    if not lacking:
        tried = [f"not from {directory or '.'}" for directory, missing in image.contexts if missing]
        shown = ", ".join([f"it builds from {image.context or '.'}", *tried])
        yield CONTEXT.passed(shown, name, [Evidence(image.dockerfile)])
        return
    for missing in lacking:
        path = posixpath.normpath(posixpath.join(image.context or "", missing.source.strip("/")))
        if ignored := made_beforehand(scope.tree, path):
            reason = f"{missing.source} is left out of git ({ignored}): something makes it before the build"
            yield CONTEXT.skip(reason, name, at_instruction(image, missing.line))
            continue
        others = [
            directory or "."
            for directory, failed in image.contexts
            if missing.source not in {each.source for each in failed}
        ]
        hint = f"; it is found from {', '.join(others)}, but that context lacks others" if others else ""
        remedy = remedies.of_missing(image, scope.tree, missing)
        yield CONTEXT.fail(
            f"{missing.source}: {missing.reason}{hint}", name, at_instruction(image, missing.line), remedy=remedy
        )
