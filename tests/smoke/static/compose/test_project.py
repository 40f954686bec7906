"""Which files Compose reads as one project."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.compose.project import projects
from smoke.tree import Tree
from tests.smoke.cases import write_files

APP = "services:\n  app: {image: redis}\n"
PART = "services:\n  app: {ports: ['80:80']}\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"compose.yaml": APP}, [("compose.yaml",)]),
        ({"compose.yaml": APP, "compose.override.yaml": PART}, [("compose.yaml", "compose.override.yaml")]),
        ({"compose.yaml": APP, "compose.prod.yaml": PART}, [("compose.yaml",), ("compose.yaml", "compose.prod.yaml")]),
        ({"compose.yaml": APP, "compose.prod.yaml": APP}, [("compose.yaml",), ("compose.prod.yaml",)]),
        ({"a/docker-compose.yml": APP, "b/compose.yaml": APP}, [("a/docker-compose.yml",), ("b/compose.yaml",)]),
        ({"x.yaml": APP, ".env": "COMPOSE_FILE=x.yaml"}, []),
        (
            {"compose.yaml": APP, "x.yaml": PART, ".env": "COMPOSE_FILE=compose.yaml:x.yaml"},
            [("compose.yaml", "x.yaml")],
        ),
        ({"services.yaml": APP}, []),
    ],
)
def test_projects(tmp_path: Path, files: dict[str, str], found: list[tuple[str, ...]]) -> None:
    """A file that makes no sense alone is laid over the one that does."""
    assert sorted(each.files for each in projects(Tree(write_files(tmp_path, files)))) == sorted(found)


def test_files_named_are_read_each_alone(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {"one.yaml": APP, "two.yaml": APP, "compose.yaml": APP}))
    assert [each.files for each in projects(tree, ("one.yaml", "two.yaml"))] == [("one.yaml",), ("two.yaml",)]


def test_what_is_extended_included_and_overridden_is_one(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [more.yaml]\n"
        "services:\n  app: {extends: {file: base.yaml, service: base}, image: own}\n",
        "base.yaml": "services:\n  base: {image: redis, user: '7'}\n",
        "more.yaml": "services:\n  extra: {image: redis}\n",
    }
    project = next(each for each in projects(Tree(write_files(tmp_path, files))) if each.files == ("compose.yaml",))
    assert {*project.services} == {"app", "extra"}
    assert (project.services["app"].image, project.services["app"].launch.user) == ("own", "7")


@pytest.mark.parametrize(
    "text",
    ["include: [compose.yaml]\nservices: {}\n", "services:\n  a: {extends: {service: a}}\n", "- 1\n", ": :\n", "\0"],
)
def test_circles_and_nonsense_end(tmp_path: Path, text: str) -> None:
    assert isinstance(projects(Tree(write_files(tmp_path, {"compose.yaml": text}))), list)


@pytest.mark.parametrize(("beside", "incomplete"), [({}, True), ({"part.yaml": APP}, False)])
def test_a_project_that_lacks_what_it_includes_is_incomplete(
    tmp_path: Path, beside: dict[str, str], incomplete: bool
) -> None:
    needs = "include: [part.yaml]\nservices:\n  web: {image: redis, depends_on: [gone]}\n"
    whole = "services:\n  web: {image: redis}\n  gone: {image: redis}\n"
    files = {"a/compose.yaml": needs, "compose.yaml": whole, **{f"a/{name}": text for name, text in beside.items()}}
    found = {each.files: each for each in projects(Tree(write_files(tmp_path, files)))}
    assert found["a/compose.yaml",].incomplete is incomplete
    assert not found["compose.yaml",].incomplete
