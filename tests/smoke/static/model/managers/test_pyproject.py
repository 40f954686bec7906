"""The pyproject.toml of the working directory, unless options lead elsewhere; what options name, however written."""

from __future__ import annotations

import pytest

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.managers.pyproject import project_of, values_of
from smoke.static.model.stage import Stage


def stage(text: bytes) -> Stage:
    """A stage whose working directory has a pyproject.toml of the tree."""
    made = Stage(FileSystem(), workdir="/app", read=lambda path: text)
    made.files.add("/app/pyproject.toml", PathEntry("file", source="pyproject.toml"))
    return made


def test_the_project_is_that_of_the_working_directory() -> None:
    assert project_of(stage(b"[project]\nname = 'shop'\n"), ["install"]) == {"project": {"name": "shop"}}
    assert project_of(Stage(FileSystem(), workdir="/app"), ["install"]) == {}
    assert project_of(stage(b"[project\n"), ["install"]) == {}


@pytest.mark.parametrize("option", ["--project", "--directory=/srv", "-C", "--all-packages"])
def test_another_one_may_be_meant(option: str) -> None:
    assert project_of(stage(b"[project]\n"), ["sync", option]) == {}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--extra", "a", "--extra=b"], ["a", "b"]),
        (["--extra", "a,b c"], ["a", "b", "c"]),
        (["--extra", "$NAME", "--other", "x"], []),
        (["--extra"], []),
    ],
)
def test_values(words: list[str], values: list[str]) -> None:
    assert values_of(words, "--extra") == values
