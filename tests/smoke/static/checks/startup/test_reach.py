"""The user can enter the directories that code is loaded from."""

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
    ("", "passed", "the user 0"),
    ("USER 1000", "passed", "the user 1000"),
    (
        "RUN pip install --user redis\nENV PYTHONPATH=/root/.local/lib/python3.12/site-packages\nUSER 1000",
        "critical",
        "/root",
    ),
    ("RUN pip install --user redis", "passed", ""),
    (
        "RUN python -m venv /root/venv\nENV PATH=/root/venv/bin:$PATH\nUSER 1000",
        "skipped",
        "/root is closed to all but its owner",
    ),
]


@pytest.mark.parametrize(("lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree("", lines), "startup.reach", outcome, words)


def test_whose_number_is_not_known_is_not_judged(tmp_path: Path) -> None:
    assert says(tmp_path, tree("", "USER someone", "example/own:1"), "startup.reach", "skipped", "unknown")
