"""What images run, worked out once for all checks."""

from __future__ import annotations

from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.python.program import Programs
from smoke.tree import Tree
from tests.smoke.cases import write_files

DOCKERFILE = 'FROM python:{}-slim\nWORKDIR /srv\nCOPY {}.py .\nRUN pip install {}\nCMD ["python", "{}.py"]\n'


def programs(folder: Path) -> tuple[Programs, dict[str, str]]:
    """Two images of one tree, of different versions."""
    files = {
        "Dockerfile.a": DOCKERFILE.format("3.11", "a", "flask", "a"),
        "Dockerfile.b": DOCKERFILE.format("3.12", "b", "quart", "b"),
        "a.py": "import flask\n",
        "b.py": "import quart\n",
    }
    return Programs(Tree(write_files(folder, files))), files


def test_each_image_has_its_own_program(tmp_path: Path) -> None:
    made, _ = programs(tmp_path)
    found = {image.dockerfile: made.of(image) for image in images(made.tree, Manifest())}
    assert {name: each.importer.version for name, each in found.items()} == {
        "Dockerfile.a": (3, 11),
        "Dockerfile.b": (3, 12),
    }
    assert [list(each.graph.modules) for each in found.values()] == [["a.py"], ["b.py"]]
    assert [[one.name for one in each.installed.requirements] for each in found.values()] == [["flask"], ["quart"]]


def test_an_image_is_followed_once(tmp_path: Path) -> None:
    made, _ = programs(tmp_path)
    first, second = images(made.tree, Manifest())
    program = made.of(first)
    assert made.of(first) is program and made.of(second) is not program
    assert made.of(second).importer.syntax is program.importer.syntax, "ruff is asked once about a file"


def test_an_equal_image_that_is_another_one_is_followed_anew(tmp_path: Path) -> None:
    """An id may be given again once its object is gone: what was made for that one is not this one's."""
    made, _ = programs(tmp_path)
    first, again = images(made.tree, Manifest())[0], images(made.tree, Manifest())[0]
    assert first == again and made.of(first) is not made.of(again) and made.of(again).image is again
