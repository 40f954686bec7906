"""Tk's shared library, where code imports `tkinter`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


@pytest.mark.parametrize(
    ("code", "base", "lines", "outcome"),
    [
        ("import tkinter", "python:3.12-slim", "", "critical"),
        ("import turtle", "python:3.12-slim", "", "critical"),
        ("import tkinter", "python:3.12-slim", "RUN apt-get update && apt-get install -y tk", "passed"),
        ("import tkinter", "python:3.12", "", "passed"),
        ("try:\n    import tkinter\nexcept ImportError:\n    pass", "python:3.12-slim", "", "passed"),
        ("def late():\n    import tkinter", "python:3.12-slim", "", "passed"),
    ],
)
def test_tkinter(tmp_path: Path, code: str, base: str, lines: str, outcome: str) -> None:
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    files: Changes = {"Dockerfile": dockerfile, "main.py": code + LOOP}
    words = "tkinter is imported" if outcome == "critical" else ""
    assert says(tmp_path, files, "dependencies.libraries", outcome, words)
