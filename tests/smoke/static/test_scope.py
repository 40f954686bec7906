"""What the checks look at."""

from __future__ import annotations

from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.model.build import images_of
from smoke.static.plans import plans_of
from smoke.static.scope import Scope
from smoke.tree import Tree
from tests.smoke.cases import Files, write_files

FILES: Files = {
    "Dockerfile": 'FROM python:3.12-slim\nCOPY main.py /\nCMD ["python", "/main.py"]\n',
    "main.py": "import own_module\n",
}


def scope(folder: Path) -> Scope:
    tree = Tree(write_files(folder, FILES))
    plans = plans_of(tree, Manifest())
    return Scope(tree, Manifest(), plans, images_of(tree, Manifest(), plans))


def test_a_tree_without_a_manifest_has_an_image_for_each_service_that_is_found(tmp_path: Path) -> None:
    found = scope(tmp_path)
    assert [each.dockerfile for each in found.images] == ["Dockerfile"]


def test_all_checks_share_what_the_images_run(tmp_path: Path) -> None:
    """A dozen checks ask; the files are read for the first of them."""
    found = scope(tmp_path)
    assert found.programs is found.programs and found.programs.tree is found.tree
    graph = found.programs.of(found.images[0]).graph
    assert [each.name for each in graph.outside] == ["own_module"]
    (tmp_path / "main.py").write_text("import other_module\n")
    assert found.programs.of(found.images[0]).graph is graph
