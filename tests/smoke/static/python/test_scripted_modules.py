"""Modules that shell scripts of an image write."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.python.scripted_modules import modules_written
from smoke.tree import Tree
from tests.smoke.cases import write_files


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("cp example.py /srv/local.py", {"example", "local"}),
        ("echo LEVEL=1 > /srv/level.py", {"level"}),
        ('kept=/data/own.py\nmv x "$kept"', {"own"}),
        ("python main.py", set()),
        ("# nothing", set()),
    ],
)
def test_what_a_script_writes(tmp_path: Path, line: str, names: set[str]) -> None:
    files = FileSystem()
    files.add("/srv/start.sh", PathEntry("file", "start.sh"))
    files.add("/srv/notes.md", PathEntry("file", "start.sh"))
    tree = Tree(write_files(tmp_path, {"start.sh": f"#!/bin/sh\n{line}\n"}))
    assert modules_written(tree, files) == dict.fromkeys(names, "start.sh")
