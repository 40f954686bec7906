"""Files of a tree that take the place of a module of the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(name: str, text: str, main: str) -> Changes:
    dockerfile = 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": main + LOOP, f"{name}.py": text}


@pytest.mark.parametrize(
    ("name", "text", "main", "outcome"),
    [
        ("random", "", "import tempfile", "critical"),
        ("random", "", "import json", "passed"),
        ("helpers", "", "import tempfile", "passed"),
        ("types", "", "import json", "passed"),
    ],
)
def test_a_file_that_hides_a_module(tmp_path: Path, name: str, text: str, main: str, outcome: str) -> None:
    """It breaks whoever takes a name of the hidden one; what Python itself has loaded before hides nothing."""
    found = tree(name, text, main)
    words = f"it stands before the standard library's module {name}" if outcome == "critical" else ""
    assert says(tmp_path, found, "entrypoint.imports", outcome, words)
