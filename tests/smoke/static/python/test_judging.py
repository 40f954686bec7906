"""What is judged when all that is loaded is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

DOCKERFILE = 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"main.py": "print('a'\n"}, "not Python that can be loaded"),
        ({"main.py": "import tempfile\nprint(tempfile)\n", "random.py": "x = 1\n"}, "stands before"),
    ],
)
def test_syntax_and_shadows(tmp_path: Path, files: dict[str, str], says: str) -> None:
    found = critical(judge_files(tmp_path, {"Dockerfile": DOCKERFILE, **files}))
    assert any(says in each.message for each in found)
