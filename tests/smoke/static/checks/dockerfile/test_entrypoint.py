"""ENTRYPOINT and CMD together are a program of the image, or nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [
    ('FROM python:3.12-slim\nCOPY main.py /\nCMD ["python", "/main.py"]\n', "passed", "it starts python /main.py"),
    ('FROM python:3.12-slim\nCOPY main.py /\nCMD ["notaprogram", "/main.py"]\n', "critical", "notaprogram"),
    ('FROM example/own:1\nCOPY main.py /\nCMD ["notaprogram", "/main.py"]\n', "skipped", ""),
    ("FROM python:3.12-slim\nCOPY main.py /\nCMD ['python', '/main.py']\n", "critical", ""),
    ('FROM python:3.12-slim\nCOPY main.py /\nCMD ["python /main.py"]\n', "critical", ""),
    ('FROM gcr.io/distroless/python3-debian12\nCOPY main.py /\nCMD ["/main.py"]\n', "passed", "/main.py"),
    ('FROM gcr.io/distroless/python3-debian12\nCOPY main.py /\nCMD ["python3", "/main.py"]\n', "critical", ""),
    ("FROM gcr.io/distroless/python3-debian12\nCOPY main.py /\nENTRYPOINT python3 /main.py\n", "critical", ""),
    ('FROM python:3.12-slim\nCOPY main.py /\nENTRYPOINT ["/main.py"]\n', "critical", ""),
]


@pytest.mark.parametrize(("dockerfile", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, dockerfile: str, outcome: str, words: str) -> None:
    assert says(tmp_path, {"Dockerfile": dockerfile, "main.py": LOOP}, "dockerfile.entrypoint", outcome, words)
