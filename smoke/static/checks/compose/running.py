"""A service of a Compose project with the image that it runs, and what is read of its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from smoke.finding import Evidence, excerpt
from smoke.static.compose.document import YamlNode
from smoke.static.compose.project import ComposeProject
from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.scope import Scope


class RunningService(Struct, frozen=True):
    """A service of a Compose project, with the image that the tree builds for it, if that is known."""

    service: ComposeService
    project: ComposeProject
    image: Image | None
    images: Mapping[str, Image]
    """The images of its project's services that the tree builds, by the services' names."""

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.service.name

    @property
    def node(self) -> YamlNode:
        """All that the files say of it."""
        return self.service.node

    @property
    def root(self) -> YamlNode:
        """All that the project's files say."""
        return self.project.root


def owner_elsewhere(scope: Scope, name: str, service: ComposeService) -> str:
    """The Compose file of another project that has a whole service of that name; empty when none has."""
    for project in scope.plans.projects:
        other = project.services.get(name)
        mine = project.services.get(service.name) is service
        if other is not None and not mine and (other.image or other.build is not None):
            return other.file
    return ""


def with_defaults(text: str) -> str:
    """`${NAME:-value}` with nothing set."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)


def text_of(node: YamlNode | None) -> str:
    return "" if node is None else node.text


def items_of(node: YamlNode | None) -> list[YamlNode]:
    return [] if node is None or node.items is None else node.items


def at_node(service: RunningService, node: YamlNode | None, text: str = "") -> list[Evidence]:
    found = node or service.node
    return [Evidence(found.file or service.service.file, found.line, excerpt(text or found.text))]
