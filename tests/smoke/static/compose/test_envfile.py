"""Files of variables, and the one that Compose takes of itself."""

from __future__ import annotations

import pytest

from smoke.static.compose.envfile import dot_env, env_values
from smoke.tree import Tree
from tests.smoke.cases import write_files


def test_env_files_take_quotes_comments_and_export() -> None:
    text = "A=1\nexport B='two # words'\n# C=3\nD = x # why\nE=\"q\"\nno line\nF=\n"
    assert env_values(text) == {"A": "1", "B": "two # words", "D": "x", "E": "q", "F": ""}


def test_the_env_file_is_the_one_beside_the_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    tree = Tree(write_files(tmp_path_factory.mktemp("tree"), {".env": "A=1", "sub/.env": "A=2"}))
    assert dot_env(tree, "") == {"A": "1"} and dot_env(tree, "sub") == {"A": "2"} and dot_env(tree, "none") == {}
