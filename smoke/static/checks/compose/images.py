"""`compose.images`: each service's image is the one that is built."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.rules import IMAGES
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.interpolation import with_defaults


def judge_image(service: RunningService) -> Iterator[Finding]:
    node = service.node.get("image")
    if service.image is None or service.image.service.image is None or node is None:
        return
    wanted, given = service.image.service.image, with_defaults(node.text)
    if given != wanted:
        yield IMAGES.fail(f"it runs {given}, and {wanted} is built", service.name, at_node(service, node))
    else:
        yield IMAGES.passed(f"it runs {given}", service.name, at_node(service, node))
