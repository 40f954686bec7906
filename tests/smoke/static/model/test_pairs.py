"""Names and values of ENV and LABEL."""

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


@pytest.mark.parametrize("lines", ["ENV A=1 B='x y'", "ENV A 1 2", "LABEL a=b", "LABEL a b"])
def test_either_form_can_be_read(tmp_path: Path, lines: str) -> None:
    assert image(tmp_path, lines).refused == ()


@pytest.mark.parametrize("lines", ["ENV A=${B", "LABEL a=${B", "ENV A ${B"])
def test_a_variable_that_is_not_closed_stops_the_build(tmp_path: Path, lines: str) -> None:
    assert len(image(tmp_path, lines).refused) == 1
