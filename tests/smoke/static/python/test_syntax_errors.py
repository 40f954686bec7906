"""Modules that are loaded and that are not Python, of the image's version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says


@pytest.mark.parametrize(
    ("version", "main", "outcome", "words"),
    [
        ("3.11", "print('a'\n", "critical", "not Python that can be loaded"),
        ("3.9", "match 1:\n    case _:\n        pass\n", "critical", "not Python that can be loaded"),
        ("3.11", "match 1:\n    case _:\n        pass\n", "passed", ""),
    ],
)
def test_syntax(tmp_path: Path, version: str, main: str, outcome: str, words: str) -> None:
    dockerfile = f'FROM python:{version}-slim\nWORKDIR /app\nCOPY . .\nCMD ["python", "main.py"]\n'
    files: Changes = {"Dockerfile": dockerfile, "main.py": main}
    assert says(tmp_path, files, "entrypoint.imports", outcome, words)
