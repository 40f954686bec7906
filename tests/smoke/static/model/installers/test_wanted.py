"""The words of installers, and what they are made for."""

from __future__ import annotations

import pytest

from smoke.static.model.installers.wanted import made_for, read_flags, split_values, tree_directory, tree_file
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("words", "flags", "values", "operands"),
    [
        ("sync --frozen", {"--frozen"}, {}, ["sync"]),
        ("sync --group dev --group=test", set(), {"--group": ["dev", "test"]}, ["sync"]),
        ("install -q flask", {"-q"}, {}, ["install", "flask"]),
        ("--group", set(), {}, []),
    ],
)
def test_flags_values_and_operands(
    words: str, flags: set[str], values: dict[str, list[str]], operands: list[str]
) -> None:
    found = read_flags(words.split(), frozenset({"--group"}))
    assert (found[0] - {"--group"}, {key: each for key, each in found[1].items() if any(each)}, found[2]) == (
        flags,
        values,
        operands,
    )


def test_lists_are_cut_at_commas_and_blanks() -> None:
    assert split_values(["a,b", "c d", ""]) == ("a", "b", "c", "d")


def test_a_stage_installs_for_its_own_python_and_library() -> None:
    slim, alpine = made_for(stage()), made_for(stage("python:3.11-alpine"))
    assert (slim.python, slim.libc) == ("3.12", "glibc") and (alpine.python, alpine.libc) == ("3.11", "musl")


def test_files_of_the_tree_and_others() -> None:
    made = stage(files={"pyproject.toml": ""})
    assert tree_file(made, "pyproject.toml") == "pyproject.toml" and tree_file(made, "other") == ""
    assert tree_directory(made, "/") == "" and tree_directory(made, "/nowhere") is None
