"""`compose.images`: each service's image is the one that is built."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.static.checks.compose.running import RunningService, at_node, with_defaults

IMAGES = Check(
    "compose.images",
    Severity.WARNING,
    "each service's image is the one that is built",
    "Another image than the one that was tested is pulled, or none.",
    "Name the image as the manifest does.",
)


def judge_image(service: RunningService) -> Iterator[Finding]:
    node = service.node.get("image")
    if service.image is None or service.image.service.image is None or node is None:
        return
    wanted, given = service.image.service.image, with_defaults(node.text)
    if given != wanted:
        yield IMAGES.fail(f"it runs {given}, and {wanted} is built", service.name, at_node(service, node))
    else:
        yield IMAGES.passed(f"it runs {given}", service.name, at_node(service, node))
