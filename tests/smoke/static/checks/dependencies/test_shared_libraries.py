"""Shared libraries that code loads by name as it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "") -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM python:3.12-slim\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP}


LIBRARIES = [
    ("import ctypes\nctypes.CDLL('libsodium.so.23')", "", "critical", "libsodium.so.23 is loaded by ctypes.CDLL"),
    ("import ctypes\nctypes.CDLL('libc.so.6')", "", "passed", ""),
    ("import ctypes\nctypes.CDLL('libsodium.so.23')", "ENV LD_LIBRARY_PATH=/opt", "passed", ""),
    (
        "import ctypes\nctypes.CDLL('libsodium.so.23')",
        "RUN apt-get update && apt-get install -y libsodium23",
        "passed",
        "",
    ),
    ("import ctypes\ndef late():\n    ctypes.CDLL('libsodium.so.23')", "", "passed", ""),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), LIBRARIES)
def test_libraries(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "dependencies.libraries", outcome, words)
