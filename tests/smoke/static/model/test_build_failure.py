"""What a build stops at: commands that surely fail, and copies of nothing."""

from __future__ import annotations

from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.build_failure import Lack
from smoke.tree import Tree
from tests.smoke.cases import write_files

DOCKERFILE = "FROM python:3.12-slim\nCOPY a.py gone.py ignored.py /\nRUN curl x\n"


def test_each_says_why(tmp_path: Path) -> None:
    files = {"Dockerfile": DOCKERFILE, "a.py": "", "ignored.py": "", ".dockerignore": "ignored.py\n"}
    [image] = images(Tree(write_files(tmp_path, files)), Manifest())
    assert {each.source: each.lack for each in image.missing} == {
        "gone.py": Lack.CONTEXT,
        "ignored.py": Lack.IGNORED,
    }
    [failure] = image.failures
    assert failure.line == 3 and "curl" in failure.message and failure.lacks == "curl"
