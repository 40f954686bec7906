"""Published ports lead to where the service listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


CASES = [
    ("services:\n  app: {build: ., ports: ['80:8080']}\n", "passed", "8080 is published"),
    ("services:\n  app: {build: ., ports: ['8080']}\n", "passed", ""),
    ("services:\n  app: {build: ., ports: ['127.0.0.1:80:8080/tcp']}\n", "passed", ""),
    ("services:\n  app: {build: ., ports: [{target: 8080, published: 80}]}\n", "passed", ""),
    ("services:\n  app: {build: ., ports: ['8080:80']}\n", "critical", "80 is published, and it serves 8080"),
    ("services:\n  app: {build: ., ports: ['80:${PORT:-8080}']}\n", "passed", ""),
    ("services:\n  app: {build: ., ports: ['80:$PORT']}\n", "skipped", "cannot be told"),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose), "compose.ports", outcome, words)
