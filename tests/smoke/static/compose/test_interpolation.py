"""Variables in Compose files, operator by operator, and files that give them."""

from __future__ import annotations

import pytest

from smoke.static.compose.interpolation import dot_env, env_values, interpolated
from smoke.tree import Tree
from tests.smoke.cases import write_files

VALUES = {"A": "a", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("$A-${A}", "a-a"),
        ("$$A", "$A"),
        ("${NONE:-b}", "b"),
        ("${EMPTY:-b}${EMPTY-c}", "b"),
        ("${NONE-b}", "b"),
        ("${NONE:-${A}}", "a"),
        ("${A:+set}${NONE:+set}${EMPTY+there}", "setthere"),
        ("${NONE:?why}", "${NONE}"),
        ("$NONE", "${NONE}"),
        ("100%", "100%"),
        ("$1", "$1"),
    ],
)
def test_an_operator_gives_what_compose_gives(text: str, meaning: str) -> None:
    assert interpolated(text, VALUES) == meaning


def test_env_files_take_quotes_comments_and_export() -> None:
    text = "A=1\nexport B='two # words'\n# C=3\nD = x # why\nE=\"q\"\nno line\nF=\n"
    assert env_values(text) == {"A": "1", "B": "two # words", "D": "x", "E": "q", "F": ""}


def test_the_env_file_is_the_one_beside_the_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    tree = Tree(write_files(tmp_path_factory.mktemp("tree"), {".env": "A=1", "sub/.env": "A=2"}))
    assert dot_env(tree, "") == {"A": "1"} and dot_env(tree, "sub") == {"A": "2"} and dot_env(tree, "none") == {}
