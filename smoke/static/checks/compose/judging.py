"""The services of all Compose projects, each before every check."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Evidence, Finding
from smoke.static.checks.compose.depends import judge_depends
from smoke.static.checks.compose.environment import judge_environment
from smoke.static.checks.compose.hardening import judge_capabilities, judge_hardening
from smoke.static.checks.compose.health import judge_health
from smoke.static.checks.compose.hosts import judge_hosts
from smoke.static.checks.compose.images import judge_image
from smoke.static.checks.compose.limits import judge_limits
from smoke.static.checks.compose.networks import judge_networks
from smoke.static.checks.compose.ports import judge_ports
from smoke.static.checks.compose.rules import SERVICES
from smoke.static.checks.compose.running import RunningService
from smoke.static.checks.compose.services import judge_project
from smoke.static.checks.compose.standard import judge_standard
from smoke.static.scope import Scope


def judge_projects(scope: Scope) -> Iterator[Finding]:
    """What the checks say of every service of every project."""
    services: list[RunningService] = []
    for project in scope.plans.projects:
        yield from judge_project(scope, project, services)
    known = {service.image.service.name for service in services if service.image is not None}
    if services and scope.manifest.compose and scope.manifest.services:
        for image in scope.images:
            if image.service.name not in known:
                first = scope.plans.projects[0].files[0]
                yield SERVICES.fail("no Compose file has it", image.service.name, [Evidence(first)])
    for service in services:
        yield from _service(scope, service)


def _service(scope: Scope, service: RunningService) -> Iterator[Finding]:
    hardened = bool(scope.manifest.policy.hardening)
    yield from judge_environment(scope, service)
    yield from judge_hosts(scope, service)
    yield from judge_image(service)
    yield from judge_ports(service)
    yield from judge_health(scope, service)
    yield from judge_depends(scope, service)
    yield from judge_hardening(service, hardened)
    yield from judge_capabilities(scope, service)
    yield from judge_limits(service, hardened)
    yield from judge_networks(service)
    yield from judge_standard(service)
