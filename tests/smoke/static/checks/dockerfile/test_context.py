"""What COPY and ADD name has to be in the build context."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [
    ("COPY main.py /", {}, "passed", "it builds from ."),
    ("COPY lost.py /", {}, "critical", "lost.py: it is not in the build context"),
    ("COPY main.py /", {".dockerignore": "*.py\n"}, "critical", ".dockerignore leaves it out"),
    ("COPY main.py /", {".dockerignore": "*.py\n!main.py\n"}, "passed", ""),
    ("COPY missing*.txt main.py /", {}, "passed", ""),
    ("COPY dist/app.whl /", {".gitignore": "dist/\n"}, "skipped", "left out of git"),
    ("ADD https://example.org/a.tar /", {}, "passed", ""),
    ("COPY <<EOF /x\ntext\nEOF", {}, "passed", ""),
]


@pytest.mark.parametrize(("line", "more", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, line: str, more: Changes, outcome: str, words: str) -> None:
    files = {"Dockerfile": f"FROM python:3.12-slim\n{line}\n", "main.py": LOOP, **more}
    assert says(tmp_path, files, "dockerfile.context", outcome, words)


def test_a_source_that_another_context_has_is_told_with_it(tmp_path: Path) -> None:
    files: Changes = {
        "app/Dockerfile": "FROM python:3.12-slim\nCOPY app/main.py lost.txt /\n",
        "app/main.py": LOOP,
        "compose.yaml": "services:\n  app:\n    build: {context: ., dockerfile: app/Dockerfile}\n",
    }
    assert says(tmp_path, files, "dockerfile.context", "critical", "lost.txt")
