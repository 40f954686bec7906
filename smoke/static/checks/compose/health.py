"""`compose.health`: health checks run with what the image has, and ask where it serves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.finding import Finding, Severity
from smoke.static.checks import remedies
from smoke.static.checks.compose.ports import expected_ports
from smoke.static.checks.compose.rules import HEALTH
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.checks.probe_code import lost_import
from smoke.static.checks.probes import health_programs, lost_path, ports_asked, unable
from smoke.static.compose.document import text_of
from smoke.static.compose.image_name import hub_repository, tag_of
from smoke.static.model.image import HealthCheck
from smoke.static.scope import Scope

_WITHOUT = {
    **dict.fromkeys(("postgres", "redis", "valkey/valkey", "memcached"), frozenset(["curl"])),
    **dict.fromkeys(("mongo",), frozenset(["curl", "wget"])),
}
"""Public images, and what all of them lack (by their Dockerfiles, November 2026)."""
_ONLY_IN = {
    "pg_isready": "postgres|postgis|timescale|pgvector|supabase|pgbouncer|paradedb|citus|psql|patroni|bitnami",
    "redis-cli": "redis|valkey|dragonfly|keydb|bitnami",
    "mysqladmin": "mysql|maria|percona|bitnami",
    "mongosh": "mongo|bitnami",
    "rabbitmq-diagnostics": "rabbit|bitnami",
}
"""Programs that only images of their own have."""


def _of_public(service: RunningService, words: list[str]) -> str:
    """A program that a well-known public image surely lacks; empty when it may have all."""
    image = service.service.image
    name, tag = hub_repository(image), tag_of(image)
    lacking = _WITHOUT.get(name, frozenset())
    # A digest alone may be that of an Alpine.
    if name in ("postgres", "redis", "memcached") and "alpine" not in tag and (tag or "@" not in image):
        lacking |= {"wget"}
    official = name in _WITHOUT or name in ("nginx", "rabbitmq", "mysql", "mariadb", "traefik", "caddy", "httpd")
    for each in health_programs(HealthCheck(0, tuple(words[1:]), words[0] == "CMD-SHELL")):
        foreign = official and each in _ONLY_IN and not re.search(_ONLY_IN[each], name)
        if each in lacking or foreign:
            return each
    return ""


def judge_health(scope: Scope, service: RunningService) -> Iterator[Finding]:
    node = service.node.get("healthcheck")
    test = None if node is None else node.get("test")
    if test is None:
        if service.image is not None and service.image.health is not None:
            yield HEALTH.passed("the image's own health check", service.name, at_node(service, node))
        return
    words = [item.text for item in test.items] if test.items is not None else ["CMD-SHELL", test.text]
    where = at_node(service, test, " ".join(words))
    image = service.image
    if words[:1] == ["NONE"] or len(words) < 2 or text_of(service.node.get("healthcheck", "disable")) == "true":
        yield HEALTH.fail("there is no health check", service.name, where, severity=Severity.WARNING)
    elif service.service.build is None and (lost := _of_public(service, words)):
        yield HEALTH.fail(f"{service.service.image} has no {lost}", service.name, where)
    elif image is None or image.broken or image.base is None:
        yield HEALTH.skip("what the image has is not known", service.name, where)
    else:
        shell_form = words[0] == "CMD-SHELL"
        problems = list(unable(image, tuple(words[1:]), shell_form=shell_form))
        programs = health_programs(HealthCheck(0, tuple(words[1:]), shell_form))
        doubts = [doubt for each in programs if (doubt := image.surroundings().find(each).doubt)]
        asked, expected = ports_asked(" ".join(words)), expected_ports(image)
        if expected and asked and not asked & expected and image.launch is not None:
            problems.append(f"it asks port {min(asked)}, and it serves {', '.join(map(str, sorted(expected)))}")
        if not problems and not image.unstarted and image.launch is not None:
            program = scope.programs.of(image)
            lost = lost_import(program, tuple(words[1:]), shell_form=shell_form)
            problems += filter(None, [lost or lost_path(program, " ".join(words))])
        for problem in problems:
            yield HEALTH.fail(problem, service.name, where, remedy=remedies.of_health(image))
        if not problems and doubts:
            yield HEALTH.skip(f"whether it can run: {doubts[0]}", service.name, where)
        elif not problems:
            yield HEALTH.passed("it can run in the image", service.name, where)
