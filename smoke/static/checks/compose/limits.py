"""`compose.limits`: how much memory a service may take."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding, Severity
from smoke.static.checks.compose.rules import LIMITS
from smoke.static.checks.compose.running import RunningService, at_node


def judge_limits(service: RunningService, demanded: bool) -> Iterator[Finding]:
    if service.image is None:
        return
    node = service.node.get("mem_limit") or service.node.get("deploy", "resources", "limits", "memory")
    if node is None:
        severity = None if demanded else Severity.INFO
        yield LIMITS.fail(
            "its memory has no limit", service.name, at_node(service, None, service.name), severity=severity
        )
    else:
        yield LIMITS.passed(f"{node.text} of memory at most", service.name, at_node(service, node))
