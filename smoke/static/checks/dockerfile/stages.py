"""`dockerfile.stages`: stages build on, and copy from, what there is; the last is as bare as was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks.evidence import at_instruction, final_line
from smoke.static.dockerfile.stages import sources
from smoke.static.model.bases.nonexistent_tags import never_was
from smoke.static.model.build_failure import Lack
from smoke.static.model.image import Image
from smoke.static.scope import Scope

STAGES = Check(
    "dockerfile.stages",
    Severity.CRITICAL,
    "several stages, the last distroless, every COPY --from from what exists",
    "A final stage with a shell and a package manager hands both to whoever gets in; a missing source stops the build.",
    "Build in one stage, and COPY --from it what runs into a distroless one.",
)


def judge_stages(scope: Scope, image: Image) -> Iterator[Finding]:
    name, final = image.service.name, image.final
    assert final is not None, "an image that is not broken has a final stage"
    failed = False
    for stage in image.stages.stages:
        for instruction, reference in sources(stage):
            if image.stages.named(reference, stage.index) is None and (
                image.stages.later(reference, stage.index) is not None or reference.isdigit()
            ):
                failed = True
                message = f"there is no stage {reference} before this one"
                yield STAGES.fail(message, name, at_instruction(image, instruction.line))
            elif image.stages.named(reference, stage.index) is None and (near := _misspelled(image, reference)):
                failed = True
                message = f"there is no stage {reference}, and no registry has such an image: {near} is one"
                yield STAGES.fail(message, name, at_instruction(image, instruction.line))
        given = _given(scope, image)
        if stage.unset and {*stage.unset} <= image.parsed.asked_for and (given is None or {*stage.unset} <= given):
            failed = True
            reason = f"FROM uses {', '.join(stage.unset)}, which whoever builds it gives"
            yield STAGES.skip(reason, name, at_instruction(image, stage.opening.line))
        elif stage.unset:
            failed = True
            message = f"FROM uses {', '.join(stage.unset)}, which nothing sets before it"
            yield STAGES.fail(message, name, at_instruction(image, stage.opening.line))
    lost = [(each.line, f"{each.source}: {each.reason}") for each in image.missing if each.lack is Lack.STAGE]
    for line, message in (*_never(image), *lost):
        failed = True
        yield STAGES.fail(message, name, at_instruction(image, line))
    where = at_instruction(image, final_line(image))
    demanded = bool(scope.manifest.policy.distroless)
    if len(image.stages.stages) < 2:
        failed = True
        yield STAGES.fail(
            "there is one stage only", name, where, severity=Severity.WARNING if demanded else Severity.INFO
        )
    if image.base is None and demanded:
        yield STAGES.skip(f"the base image {image.base_reference} is unknown: is it distroless?", name, where)
    elif image.base is not None and not image.base.distroless:
        message = f"the final stage is built on {image.base_reference}, which is not distroless"
        yield STAGES.fail(message, name, where, severity=Severity.CRITICAL if demanded else Severity.INFO)
    elif not failed:
        yield STAGES.passed(f"{len(image.stages.stages)} stages, the last on {image.base_reference}", name, where)


def _given(scope: Scope, image: Image) -> set[str] | None:
    """The arguments that Compose builds an image with; none where something else may build it."""
    launch = image.launch
    if launch is None or scope.manifest.services:
        return None
    for project in scope.plans.projects:
        service = project.services.get(launch.name)
        if service is not None and service.file == launch.file and service.build is not None and not project.part_of:
            return {*service.build.arguments}
    return None


def _never(image: Image) -> Iterator[tuple[int, str]]:
    """Stages on an image that never was: the line, and why."""
    for stage in image.stages.stages:
        if stage.parent is None and (why := never_was(stage.reference)):
            yield stage.opening.line, f"{stage.reference}: {why}"


def _misspelled(image: Image, reference: str) -> str:
    """The stage that a name without a tag or a registry surely means; empty when it may mean an image."""
    if not re.fullmatch(r"[a-z][\w-]*", reference):
        return ""
    further = image.launch.contexts if image.launch is not None else ()
    if reference in further:
        return ""
    names = [*(stage.name for stage in image.stages.stages if stage.name), *further]
    near = get_close_matches(reference.lower(), names, 1, 0.8)
    return near[0] if near else ""
