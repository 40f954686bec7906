"""What is wrong with a file: what its tool refuses, and what is only not followed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.python.requirements import read_requirements
from smoke.static.trouble import Trouble
from smoke.tree import Tree
from tests.smoke.cases import write_files


def read(folder: Path, text: str) -> list[Trouble]:
    return read_requirements(Tree(write_files(folder, {"requirements.txt": text})), "requirements.txt", (3, 12))[1]


@pytest.mark.parametrize(
    ("text", "line", "doubtful"),
    [("flask\nflask==\n", 2, False), ("-r gone.txt\n", 1, False), ("flask\n-r $FILE\n", 2, True)],
)
def test_what_pip_refuses_is_no_doubt(tmp_path: Path, text: str, line: int, doubtful: bool) -> None:
    [found] = read(tmp_path, text)
    assert (found.path, found.line, found.doubtful) == ("requirements.txt", line, doubtful) and found.message


def test_two_readings_of_one_line_are_one_trouble(tmp_path: Path) -> None:
    """Two installations may read the same file; what is wrong with it is told once."""
    first, second = (read(tmp_path, "flask==\n") for _ in range(2))
    assert first == second and len({*first, *second}) == 1
    with pytest.raises(AttributeError, match="immutable"):
        first[0].line = 3  # type: ignore[misc]
