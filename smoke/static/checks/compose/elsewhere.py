"""A service that another project of the tree has: it is not missing, only not started with this one."""

from __future__ import annotations

from smoke.static.compose.service import ComposeService
from smoke.static.scope import Scope


def owner_elsewhere(scope: Scope, name: str, service: ComposeService) -> str:
    """The Compose file of another project that has a whole service of that name; empty when none has."""
    for project in scope.plans.projects:
        other = project.services.get(name)
        mine = project.services.get(service.name) is service
        if other is not None and not mine and (other.image or other.build is not None):
            return other.file
    return ""
