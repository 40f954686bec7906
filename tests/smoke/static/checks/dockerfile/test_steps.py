"""A RUN that surely fails stops the build; one that may succeed is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [
    ("FROM python:3.12-slim\n", "passed", "its 0 RUN"),
    ("FROM python:3.12-slim\nRUN python --version\n", "passed", "its 1 RUN"),
    ("FROM python:3.12-slim\nRUN curl -f https://example.org\n", "critical", "curl"),
    ("FROM python:3.12-slim\nRUN curl -f https://example.org || true\n", "passed", ""),
    ("FROM example/own:1\nRUN curl -f https://example.org\n", "passed", ""),
    ("FROM python:3.12-slim\nRUN pip install -r requirements.txt\nCOPY main.py /\n", "critical", "requirements.txt"),
    ("FROM python:3.12-slim\nUSER 1000\nRUN apt-get update\n", "critical", ""),
    ("FROM scratch\nCOPY main.py /\nRUN echo up\n", "critical", ""),
]


@pytest.mark.parametrize(("dockerfile", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, dockerfile: str, outcome: str, words: str) -> None:
    assert says(tmp_path, {"Dockerfile": dockerfile, "main.py": LOOP}, "dockerfile.steps", outcome, words)
