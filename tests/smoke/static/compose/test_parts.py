"""Compose files that make sense with another only."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.compose.parts import completed_by
from smoke.tree import Tree
from tests.smoke.cases import write_files

BUILDS = [("../tools/scan", "Dockerfile")]
FILES = {
    "deploy/base.yml": "services:\n  web:\n    image: x\n",
    "other/values.yml": "web:\n  image: x\n",
    "tools/scan/compose.yml": "services: {}\n",
    "tools/scan/Dockerfile": "FROM scratch\n",
}


@pytest.mark.parametrize(
    ("services", "builds", "other"),
    [
        ({"web"}, [], "deploy/base.yml"),
        ({"web", "db"}, [], ""),
        (set(), BUILDS, "deploy/base.yml"),
        (set(), [("../tools/gone", "Dockerfile")], ""),
        (set(), [("../../../tools/scan", "Dockerfile")], ""),
        ({"web"}, BUILDS, "deploy/base.yml"),
        (set(), [], ""),
    ],
)
def test_one_has_what_is_lacking(tmp_path: Path, services: set[str], builds: list[tuple[str, str]], other: str) -> None:
    tree = Tree(write_files(tmp_path, FILES))
    assert completed_by(tree, "tools/scan/compose.yml", services, builds) == other


def test_files_of_the_directories_above_come_first(tmp_path: Path) -> None:
    other = {"a.yml": FILES["deploy/base.yml"], "tools/b.yml": FILES["deploy/base.yml"], "zoo.yml": "services: {}\n"}
    tree = Tree(write_files(tmp_path, FILES | other))
    assert completed_by(tree, "tools/scan/compose.yml", {"web"}, []) in ("a.yml", "tools/b.yml")
