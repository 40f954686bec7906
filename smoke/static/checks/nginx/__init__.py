"""`nginx.*`: what nginx is told in the services of Compose projects: hosts, ports, certificates; and its user."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.nginx.rules import CHECKS
from smoke.static.scope import Scope

__all__ = ["CHECKS", "run"]


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    if scope.plans.projects or any("nginx" in image.base_reference for image in scope.images):
        from smoke.static.checks.nginx.judging import judge_nginx  # noqa: PLC0415 - it takes its time to load

        yield from judge_nginx(scope)
