"""`dependencies.*`: what is imported is installed, where Python looks, and for the Python and processor that run it."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.dependencies.arm64 import ARM64, judge_arm64
from smoke.static.checks.dependencies.declared import DECLARED, judge_declared
from smoke.static.checks.dependencies.fits import FITS, judge_fits
from smoke.static.checks.dependencies.libraries import LIBRARIES, judge_libraries
from smoke.static.scope import Scope

CHECKS = (DECLARED, FITS, LIBRARIES, ARM64)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        if image.broken:
            for check in CHECKS:
                yield check.skip(f"the Dockerfile cannot be followed: {image.broken}", name)
            continue
        program = scope.programs.of(image)
        if image.start.module or image.start.script or image.start.needs:
            yield from judge_declared(scope, program)
        else:
            reason = image.start.doubt or image.start.trouble
            yield DECLARED.skip(f"what is started is not known: {reason}", name)
        yield from judge_fits(program)
        yield from judge_libraries(scope, program)
        yield from judge_arm64(program)
