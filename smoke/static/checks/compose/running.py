"""A service of a Compose project with the image that it runs."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from smoke.finding import Evidence, excerpt
from smoke.static.compose.document import YamlNode
from smoke.static.compose.project import ComposeProject
from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image


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


def at_node(service: RunningService, node: YamlNode | None, text: str = "") -> list[Evidence]:
    found = node or service.node
    return [Evidence(found.file or service.service.file, found.line, excerpt(text or found.text))]
