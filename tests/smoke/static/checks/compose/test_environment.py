"""Files of variables that Compose would refuse to start without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


FILE = "services:\n  app:\n    build: .\n    env_file: {}\n"
CASES = [
    (FILE.format("app.env"), {"app.env": "A=1\n"}, "passed", "1 files"),
    (FILE.format("app.env"), {}, "critical", "no app.env"),
    (FILE.format("[{path: app.env, required: false}]"), {}, "passed", ""),
    (FILE.format("app.env"), {"app.env.example": "A=1\n"}, "info", "made from app.env.example"),
    (FILE.format(".env"), {".gitignore": ".env\n"}, "info", "everyone makes their own"),
    (FILE.format("$WHERE/app.env"), {}, "passed", ""),
]


@pytest.mark.parametrize(("compose", "more", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, more: dict[str, str], outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose, **more), "compose.environment", outcome, words)
