"""`compose.networks`: networks and volumes that are used are declared."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.rules import NETWORKS
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.project import used


def judge_networks(service: RunningService) -> Iterator[Finding]:
    failed = False
    wanted = [(what, *each) for what in ("networks", "volumes") for each in used(service.node, what)]
    for what, name, item in wanted:
        declared = service.root.get(what)
        if declared is None or declared.mapping is None or name not in declared.mapping:
            failed = True
            yield NETWORKS.fail(f"the {what[:-1]} {name} is not declared", service.name, at_node(service, item, name))
    if not failed and wanted:
        message = f"{len(wanted)} networks and volumes are declared"
        yield NETWORKS.passed(message, service.name, at_node(service, None, service.name))
