"""A service that another project of the tree has."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.checks.compose.elsewhere import owner_elsewhere
from smoke.static.plans import plans_of
from smoke.static.scope import Scope
from smoke.tree import Tree
from tests.smoke.cases import write_files


@pytest.mark.parametrize(("name", "owner"), [("db", "other/compose.yaml"), ("part", ""), ("web", ""), ("nowhere", "")])
def test_who_has_it(tmp_path: Path, name: str, owner: str) -> None:
    """What has neither an image nor a build is no whole service, and a service is not elsewhere than itself."""
    files = {
        "compose.yaml": "services: {web: {image: nginx}}\n",
        "other/compose.yaml": "services: {db: {image: postgres}, part: {ports: ['1']}}\n",
    }
    tree = Tree(write_files(tmp_path, files))
    scope = Scope(tree=tree, manifest=Manifest(), plans=plans_of(tree, Manifest()), images=())
    [web] = [each.services["web"] for each in scope.plans.projects if "web" in each.services]
    assert owner_elsewhere(scope, name, web) == owner
