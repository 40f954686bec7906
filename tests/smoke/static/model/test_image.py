"""What is asked of an image: why it does not start, and which libraries it surely lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files


def image(folder: Path, dockerfile: str) -> Image:
    [found] = images(Tree(write_files(folder, {"Dockerfile": dockerfile, "a.py": "", "libown.so.1": ""})), Manifest())
    return found


@pytest.mark.parametrize(
    ("dockerfile", "says"),
    [
        ('FROM python:3.12-slim\nCMD ["python", "-m", "a"]\n', ""),
        ('FROM python:3.12-slim\nCOPY a.py /\nCMD ["python", "/a.py"]\n', ""),
        ("FROM\n", "the Dockerfile cannot be followed: "),
        ('FROM python:3.12-slim\nCMD ["no-such"]\n', "nothing would start: "),
        ('FROM example.org/own:1\nCMD ["no-such"]\n', "unknown"),
    ],
)
def test_why_it_is_not_known_what_starts(tmp_path: Path, dockerfile: str, says: str) -> None:
    """Empty where it is a module or a script: checks of its code go on then."""
    found = image(tmp_path, dockerfile).unstarted
    assert says in found and bool(says) == bool(found)


@pytest.mark.parametrize(
    ("lines", "has"),
    [
        ("FROM python:3.12-slim", False),
        ("FROM python:3.12-slim\nCOPY libown.so.1 /usr/lib/", True),
        ("FROM python:3.12-slim\nRUN apt-get update && apt-get install -y curl", False),
        ("FROM python:3.12-slim\nRUN apt-get update && apt-get install -y libown1", None),
        ("FROM python:3.12-slim\nRUN frobnicate", None),
        ("FROM python:3.12", None),
        ("FROM example.org/own:1", None),
    ],
)
def test_a_library_is_there_surely_not_or_unknown(tmp_path: Path, lines: str, has: bool | None) -> None:
    """A package that is not known may bring it; a whole base has more than the catalog lists."""
    assert image(tmp_path, f"{lines}\n").has_library(("libown.so",)) is has


@pytest.mark.parametrize(("package", "has"), [("gcc", True), ("g++", True), ("build-essential", True), ("curl", False)])
def test_openmp_comes_with_the_compiler_too(tmp_path: Path, package: str, has: bool) -> None:
    lines = f"FROM python:3.12-slim\nRUN apt-get update && apt-get install -y {package}\n"
    assert image(tmp_path, lines).has_library(("libgomp.so",)) is has


def test_a_program_is_found_by_the_image_s_own_path(tmp_path: Path) -> None:
    found = image(tmp_path, "FROM python:3.12-slim\nENV PATH=/own\nRUN mkdir /own && touch /own/tool\n")
    assert found.surroundings().find("tool").place == "/own/tool"
    assert not found.surroundings().find("python").place, "PATH is all there is"
