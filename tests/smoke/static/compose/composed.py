"""A service as a Compose file has it."""

from __future__ import annotations

from pathlib import Path

from smoke.static.compose.project import projects
from smoke.static.compose.service import ComposeService
from smoke.tree import Tree
from tests.smoke.cases import write_files


def service(folder: Path, keys: str, **more: str) -> ComposeService:
    """The service `app` with these keys."""
    files = {"compose.yaml": f"services:\n  app:\n    {keys}\n", "Dockerfile": "FROM x\n", "conf/a": "", **more}
    [project] = projects(Tree(write_files(folder, files)))
    return project.services["app"]
