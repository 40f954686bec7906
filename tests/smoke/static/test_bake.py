"""Bake files: what they build, and targets that are not defined."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.bake import bake_targets, undefined_targets
from smoke.tree import Tree
from tests.smoke.cases import write_files

HCL = """
variable "TAG" { default = "1" }
group "default" { targets = ["app", "worker"] }
target "common" { dockerfile = "Dockerfile.x" args = { A = "${TAG}" } }
target "app" { inherits = ["common"] context = "src" target = "final" platforms = ["linux/arm64"] }
target "worker" { inherits = ["common"] }
"""
FILES = {
    "Dockerfile": "FROM scratch\n",
    "Dockerfile.x": "FROM scratch\n",
    "src/Dockerfile.x": "FROM scratch AS final\n",
}


def test_a_target_inherits(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {**FILES, "docker-bake.hcl": HCL}))
    found = {name: build for name, build, _ in bake_targets(tree)}
    assert found["app"].dockerfile == "src/Dockerfile.x" and found["app"].target == "final"
    assert found["worker"].dockerfile == "Dockerfile.x" and found["worker"].arguments == {"A": "1"}


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [("", "", 0), ('"worker"]', '"lost"]', 1), ('["common"] context', '["lost"] context', 1)],
)
def test_what_is_not_defined_is_told(tmp_path: Path, old: str, new: str, count: int) -> None:
    tree = Tree(write_files(tmp_path, {**FILES, "docker-bake.hcl": HCL.replace(old, new) if old else HCL}))
    assert len(list(undefined_targets(tree))) == count


@pytest.mark.parametrize("text", ["target {", "{", 'target "a" { x = [', "\0", 'target "a" { context = f(x) }', "["])
def test_any_text_is_read(tmp_path: Path, text: str) -> None:
    tree = Tree(write_files(tmp_path, {"docker-bake.hcl": text, "docker-bake.json": text}))
    assert isinstance(list(bake_targets(tree)), list) and isinstance(list(undefined_targets(tree)), list)
