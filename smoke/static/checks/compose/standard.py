"""What well-known public images refuse to start without: redis the file that it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.running import RunningService, at_node, repository_of
from smoke.static.checks.compose.services import SERVICES


def judge_standard(service: RunningService) -> Iterator[Finding]:
    own = service.service
    if own.build is not None or own.launch.entrypoint is not None:
        return
    kind = re.sub(r"^(?:docker\.io/)?(?:library/)?", "", repository_of(own.image))
    if kind in ("redis", "valkey/valkey"):
        yield from _configuration(service)


def _configuration(service: RunningService) -> Iterator[Finding]:
    launch = service.service.launch
    told = [each for each in launch.command or () if re.fullmatch(r"/[\w./-]+\.conf", each)][:1]
    for place in told:
        if not any(place == each.target or place.startswith(f"{each.target.rstrip('/')}/") for each in launch.mounts):
            if service.node.get("configs") is not None or service.node.get("secrets") is not None:
                return
            message = f"it is told to read {place}, which its image does not have and nothing mounts"
            yield SERVICES.fail(message, service.name, at_node(service, service.node.get("command")))
