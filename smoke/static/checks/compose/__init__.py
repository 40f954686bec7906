"""`compose.*`: what the Compose files make of the images: ports, health, order, hardening, limits, networks."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.rules import CHECKS
from smoke.static.scope import Scope

__all__ = ["CHECKS", "run"]


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    if not scope.plans.projects:
        for check in CHECKS:
            yield check.passed("there is no Compose file")
        return
    from smoke.static.checks.compose.judging import judge_projects  # noqa: PLC0415 - it takes its time to load

    yield from judge_projects(scope)
