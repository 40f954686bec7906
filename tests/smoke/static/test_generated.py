"""What a tree leaves out of git is made before a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.generated import made_beforehand
from smoke.tree import Tree
from tests.smoke.cases import write_files

IGNORE = """\
# made
dist/
*.log
!kept.log
/top
**/cache
web/build/**
deep/*
"""


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("dist/app.js", ".gitignore"),
        ("sub/dist", ".gitignore"),
        ("a.log", ".gitignore"),
        ("kept.log", ""),
        ("top", ".gitignore"),
        ("sub/top", ""),
        ("sub/x/cache/y", ".gitignore"),
        ("web/build/x", ".gitignore"),
        ("deep/x", ".gitignore"),
        ("sub/own", "sub/.gitignore"),
        (".git/HEAD", ".git itself"),
        ("src/app.py", ""),
    ],
)
def test_the_file_that_leaves_it_out_is_named(tmp_path: Path, path: str, by: str) -> None:
    write_files(tmp_path, {".gitignore": IGNORE, "sub/.gitignore": "own\n", "src/app.py": ""})
    assert made_beforehand(Tree(tmp_path), path) == by
