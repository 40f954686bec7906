"""`dockerfile.*`: the Dockerfile is read as a build would, and its outcome is what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Evidence, Finding
from smoke.static.checks.dockerfile.context import CONTEXT, judge_context
from smoke.static.checks.dockerfile.entrypoint import ENTRYPOINT, judge_entrypoint
from smoke.static.checks.dockerfile.health import HEALTH, judge_health
from smoke.static.checks.dockerfile.labels import LABELS, judge_labels
from smoke.static.checks.dockerfile.parse import PARSE, judge_parse
from smoke.static.checks.dockerfile.platform import PLATFORM, judge_platform
from smoke.static.checks.dockerfile.stages import STAGES, judge_stages
from smoke.static.checks.dockerfile.steps import STEPS, judge_steps
from smoke.static.checks.dockerfile.user import USER, judge_user
from smoke.static.scope import Scope

CHECKS = (PARSE, STAGES, CONTEXT, STEPS, PLATFORM, USER, HEALTH, LABELS, ENTRYPOINT)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for trouble in scope.plans.troubles:
        yield PARSE.fail(trouble.message, "", [Evidence(trouble.path, trouble.line)])
    for image in scope.images:
        yield from judge_parse(image)
        if image.broken:
            for check in CHECKS[1:]:
                yield check.skip(f"the Dockerfile cannot be followed: {image.broken}", image.service.name)
            continue
        yield from judge_stages(scope, image)
        yield from judge_context(scope, image)
        yield from judge_steps(image)
        yield from judge_platform(scope, image)
        yield from judge_user(image)
        yield from judge_health(scope, image)
        yield from judge_labels(image)
        yield from judge_entrypoint(scope, image)
