"""A product of which no more is known than what its manifest says, and how a plug-in that knows more is found."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from smoke.live import checks
from smoke.live.failure import LiveError
from smoke.live.node import Make, Node
from smoke.live.product import Product, Steps
from smoke.live.underway import Run
from smoke.manifest import Manifest, Service

_PLACEHOLDER = re.compile(r"\{(port|data|python|root|url:[A-Za-z0-9._-]+)\}")


class PlainProduct:
    """What a manifest says of its services: they start, are healthy, answer at their endpoints, stop and come back."""

    def __init__(self, manifest: Manifest, root: Path) -> None:
        """Raises `LiveError` when the manifest does not say enough."""
        self.services: Mapping[str, Service] = {service.name: service for service in manifest.services}
        self.start_s, self.grace_s = float(manifest.live.start_s), manifest.live.grace_s
        self._root = root.resolve()
        if not self.services:
            raise LiveError(f"{root}: its smoke.toml names no services that could be run")
        for service in manifest.services:
            for text in (*service.command, *service.environment.values()):
                for word in _PLACEHOLDER.findall(text):
                    name = word.removeprefix("url:")
                    if name != word and (name not in self.services or self.services[name].port is None):
                        raise LiveError(f"smoke.toml: service {service.name}: {{{word}}} is not a service with a port")

    def prepare(self, node: Node) -> None:
        """Nothing."""

    def command(self, node: Node, service: str) -> Sequence[str]:
        """See `Product`."""
        words = self.services[service].command
        if not words:
            raise LiveError(f"smoke.toml: service {service} has no command that starts it as a process")
        return [self._filled(node, service, word) for word in words]

    def environment(self, node: Node, service: str) -> dict[str, str]:
        """See `Product`."""
        given = self.services[service].environment
        return {name: self._filled(node, service, value) for name, value in given.items()}

    def files(self, node: Node, service: str) -> Mapping[str, bytes]:
        """None."""
        return {}

    def state(self, node: Node, service: str, answer: httpx.Response | None) -> str:
        """A service without a port is healthy while it runs."""
        if self.services[service].port is None:
            return "healthy" if node.running(service) else ""
        if answer is None:
            return ""
        return "healthy" if answer.is_success else "degraded" if answer.status_code == 503 else ""

    def steps(self, run: Run) -> Steps:
        """See `Product`."""
        return (
            (checks.HEALTH, lambda: checks.health(run)),
            (checks.API, lambda: checks.api(run)),
            (checks.LIFECYCLE, lambda: checks.lifecycle(run)),
        )

    def further(self, run: Run, make: Make, folder: Path) -> Steps:
        """Nothing."""
        return ()

    def _filled(self, node: Node, service: str, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            match match[1]:
                case "port":
                    return str(node.port(service))
                case "data":
                    return node.data(service)
                case "python":
                    return sys.executable
                case "root":
                    return str(self._root)
                case url:
                    return node.inner_url(url.removeprefix("url:"))

        return _PLACEHOLDER.sub(value, text)


def product_of(root: Path, manifest: Manifest, options: Mapping[str, object]) -> Product:
    """The product of a tree: its plug-in's, given the command's options, or what the manifest says of it.

    A plug-in is code of the tree, and is run. Raises `LiveError` when it cannot be loaded.
    """
    if manifest.live.plugin is None:
        return PlainProduct(manifest, root)
    module, _, name = manifest.live.plugin.partition(":")
    try:
        with _importable(root):
            made: Product = getattr(importlib.import_module(module), name)(manifest, options)
            return made
    except (ImportError, AttributeError) as error:
        raise LiveError(f"smoke.toml: the plug-in {manifest.live.plugin} cannot be loaded: {error}") from None


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    """Modules of the tree can be imported, after all that is installed."""
    place = str(root.resolve())
    sys.path.append(place)
    try:
        yield
    finally:
        sys.path.remove(place)
