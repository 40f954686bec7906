"""`startup.*`: what the code reaches for as it is loaded: files, variables, the directories that it is read from."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.startup.environment import (
    ENVIRONMENT,
    judge_environment,
    judge_preparation,
    judge_provision,
    judge_script,
    judge_unset,
)
from smoke.static.checks.startup.files import FILES, judge_files, judge_written
from smoke.static.checks.startup.reach import REACH, judge_reach
from smoke.static.scope import Scope

CHECKS = (FILES, ENVIRONMENT, REACH)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        yield from judge_script(image)
        yield from judge_unset(scope, image)
        yield from judge_written(image)
        if image.unstarted:
            for check in CHECKS:
                yield check.skip(image.unstarted, name)
            continue
        program = scope.programs.of(image)
        if program.graph.entry is None:
            for check in (FILES, ENVIRONMENT):
                yield check.skip("what is started is not a file of the tree", name)
        else:
            yield from judge_files(scope, program)
            yield from judge_environment(scope, program)
            yield from judge_preparation(scope, program)
            yield from judge_provision(scope, program)
        yield from judge_reach(program)
