"""What programs of an image find around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files


def image(folder: Path, lines: str) -> Image:
    text = f"FROM python:3.12-slim\n{lines}\n"
    [found] = images(Tree(write_files(folder, {"Dockerfile": text, "a.py": ""})), Manifest())
    return found


@pytest.mark.parametrize(
    ("lines", "workdir"),
    [
        ("WORKDIR /a", "/a"),
        ("WORKDIR /a\nWORKDIR b", "/a/b"),
        ("ENV X=/x\nWORKDIR $X/y", "/x/y"),
        ("WORKDIR a/../b", "/b"),
    ],
)
def test_workdir(tmp_path: Path, lines: str, workdir: str) -> None:
    found = image(tmp_path, lines)
    assert found.workdir == workdir and found.files.find(workdir) is not None


def test_a_directory_belongs_to_the_user_in_force(tmp_path: Path) -> None:
    entry = image(tmp_path, "USER 7\nWORKDIR /srv/a").files.find("/srv/a")
    assert entry is not None and entry.user == 7


def test_a_file_is_no_working_directory(tmp_path: Path) -> None:
    [refused] = image(tmp_path, "COPY a.py /a\nWORKDIR /a").refused
    assert "a file is there" in refused.message


def test_a_variable_is_set_behind_its_instruction(tmp_path: Path) -> None:
    found = image(tmp_path, 'ENV A=1 B="$A x"')
    assert found.environment["A"] == "1" and found.environment["B"] == " x", "A is not yet set where B is"
