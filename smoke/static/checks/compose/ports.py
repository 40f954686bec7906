"""`compose.ports`: published ports lead to the port of the service."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.rules import PORTS
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.document import YamlNode, items_of, text_of
from smoke.static.compose.interpolation import with_defaults
from smoke.static.model.image import Image


def judge_ports(service: RunningService) -> Iterator[Finding]:
    image, node = service.image, service.node.get("ports")
    if image is None or node is None or image.broken:
        return
    expected = expected_ports(image)
    targets = {}
    for item in items_of(node):
        text = with_defaults(text_of(item.get("target")) or item.text).partition("/")[0]
        number = text.rpartition(":")[2]
        if number.isascii() and number.isdigit() and len(number) < 6:
            targets[int(number)] = item
    if not expected:
        return
    if not targets:
        yield PORTS.skip("which ports are published cannot be told", service.name, at_node(service, node))
    elif not expected & targets.keys() and _inherited(service, node):
        yield PORTS.skip("what is published is that of the service that it extends", service.name)
    elif not expected & targets.keys():
        port, item = min(targets.items())
        surely = {image.start.port} if image.start.port is not None else {*image.ports}
        shown = ", ".join(map(str, sorted(surely or expected)))
        yield PORTS.fail(f"{port} is published, and it serves {shown}", service.name, at_node(service, item))
    else:
        port = min(expected & targets.keys())
        yield PORTS.passed(f"{port} is published", service.name, at_node(service, targets[port]))


def _inherited(service: RunningService, node: YamlNode) -> bool:
    """Whether the ports of a service are those of the one that it extends."""
    extends = service.node.get("extends")
    above = service.project.services.get(text_of(extends) or text_of(extends.get("service"))) if extends else None
    ports = above.node.get("ports") if above is not None else None
    return ports is not None and [each.text for each in items_of(ports)] == [each.text for each in items_of(node)]


def expected_ports(image: Image) -> set[int]:
    """Ports that a service may serve: the manifest's; or what its image exposes, its command and its variables say."""
    if image.service.port is not None:
        return {image.service.port}
    launch = image.launch
    said = {image.start.port} if image.start.port is not None else set()
    if launch is not None:
        numbers = {int(text) for value in launch.environment.values() for text in re.findall(r"\b\d{2,5}\b", value)}
        if launch.command is not None or launch.entrypoint is not None:
            return (said | numbers) if said else set()
        said |= numbers if said or image.ports else set()
    if image.ports_doubt:
        return set()
    return said | set(image.ports)
