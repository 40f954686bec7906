"""A Dockerfile that no build reads, or that a build stops in, is a failure of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [
    ('FROM python:3.12-slim\nCOPY main.py /\nCMD ["python", "/main.py"]\n', "passed", "3 instructions in 1 stages"),
    ("FROM python:3.12-slim\nCOPPY main.py /\n", "critical", "cannot be read"),
    ("FROM python:3.12-slim\nRUN echo \\\n", "passed", ""),
    ("COPY main.py /\n", "critical", ""),
    ("# nothing\n", "critical", ""),
    ("FROM python:3.12-slim\nCOPY --chown=ghost main.py /\n", "critical", "no user ghost"),
    ("FROM python:3.12-slim\nCOPY --frm=x main.py /\n", "critical", ""),
]


@pytest.mark.parametrize(("dockerfile", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, dockerfile: str, outcome: str, words: str) -> None:
    assert says(tmp_path, {"Dockerfile": dockerfile, "main.py": LOOP}, "dockerfile.parse", outcome, words)


def test_what_cannot_be_read_is_not_judged_further(tmp_path: Path) -> None:
    """A second failure for the same line would hide the first."""
    files: Changes = {"Dockerfile": "FROM python:3.12-slim\nCOPPY main.py /\n", "main.py": LOOP}
    assert says(tmp_path, files, "dockerfile.context", "skipped", "cannot be followed")
