"""What is imported is installed, or nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


REDIS = "RUN pip install redis"
CASES = [
    ("import redis", "", "critical", "redis is imported, and nothing that this image installs brings it"),
    ("import redis", REDIS, "passed", "1 third-party imports"),
    ("import json", "", "passed", "0 third-party imports"),
    ("try:\n    import redis\nexcept ImportError:\n    redis = None", "", "passed", ""),
    ("def late():\n    import redis", "", "warning", "redis"),
    ("import yaml", "RUN pip install pyyaml", "passed", ""),
    ("import nobodyknowsit", "RUN pip install another-unknown", "skipped", "nobodyknowsit"),
    ("import asyncore", "", "critical", "the standard library of Python 3.12 does not have it"),
    ("import pkg_resources", "", "critical", "pkg_resources"),
    (
        "import redis",
        "RUN pip install --target /deps redis",
        "critical",
        "where the Python that is started does not look",
    ),
    ("import redis", "RUN pip install --target /deps redis\nENV PYTHONPATH=/deps", "passed", ""),
    ("import redis", "RUN python -m venv /venv && /venv/bin/pip install redis", "critical", "does not look"),
    ("import redis", "RUN pip install -r gone.txt", "skipped", "gone.txt"),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "dependencies.declared", outcome, words)


def test_another_case_of_a_name_is_told(tmp_path: Path) -> None:
    """A disk of macOS or Windows finds it, and Linux does not."""
    files = tree("import Helpers", **{"helpers.py": ""})
    assert says(tmp_path, files, "dependencies.declared", "critical", "helpers")


def test_what_only_comes_along_is_a_note(tmp_path: Path) -> None:
    files = tree("import starlette", "RUN pip install fastapi")
    assert says(tmp_path, files, "dependencies.declared", "info", "because something else needs starlette")
