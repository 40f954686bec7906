"""Shared libraries that distributions load are in the image, or nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


CASES = [
    ("import cv2", "RUN pip install opencv-python", "critical", "opencv-python loads libGL"),
    ("import cv2", "RUN pip install opencv-python-headless", "passed", ""),
    ("import cv2", "RUN apt-get update && apt-get install -y libgl1 && pip install opencv-python", "skipped", ""),
    ("import time", "RUN pip install opencv-python", "passed", "0 distributions"),
    ("try:\n    import cv2\nexcept ImportError:\n    pass", "RUN pip install opencv-python", "passed", ""),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "dependencies.libraries", outcome, words)


def test_an_unknown_base_may_have_it(tmp_path: Path) -> None:
    files = tree("import cv2", "RUN pip install opencv-python", "example/own:1")
    assert says(tmp_path, files, "dependencies.libraries", "skipped", "opencv-python")
