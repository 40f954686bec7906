"""Ports of the host that two services of a project would publish."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.compose.document import YamlNode


def _published(service: YamlNode) -> Iterator[tuple[str, YamlNode]]:
    """Ports of the host that a service takes on every address."""
    node = service.get("ports")
    for item in node.children() if node is not None else ():
        if item.mapping is not None:
            published, protocol = item.get("published"), item.get("protocol")
            port = "" if published is None or item.get("host_ip") is not None else published.text
            kind = "" if protocol is None or protocol.text == "tcp" else protocol.text
        else:
            text, _, kind = item.text.partition("/")
            parts = text.split(":")
            port, kind = (parts[0] if len(parts) == 2 else ""), "" if kind == "tcp" else kind
        if port.isascii() and port.isdigit():
            yield f"{port}/{kind}", item


def taken_twice(services: dict[str, YamlNode]) -> Iterator[tuple[YamlNode, str]]:
    """Two services that are started together and publish one port of the host."""
    holders: dict[str, str] = {}
    for name, service in services.items():
        if service.get("profiles") is not None or service.get("network_mode") is not None:
            continue
        for port, item in _published(service):
            held = holders.setdefault(port, name)
            # One that extends another is mostly run in its place.
            if held != name and not {name, _kin(services, name)} & {held, _kin(services, held)}:
                yield (item, f"{name} and {held} both publish port {port.partition('/')[0]} of the host")


def _kin(services: dict[str, YamlNode], name: str) -> str:
    """The service of the same files that a service comes of in the end, by `extends`; itself where it has none."""
    for _ in services:
        extends = services[name].get("extends")
        if extends is None or extends.get("file") is not None:
            break
        service = extends.get("service")
        above = extends.text or (service.text if service is not None else "")
        if above not in services:
            break
        name = above
    return name
