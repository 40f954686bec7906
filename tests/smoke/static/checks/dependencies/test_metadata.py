"""Versions that code asks for, of projects of its own tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"
PROJECT = '[project]\nname = "shop"\nversion = "1"\n[build-system]\nrequires = ["hatchling"]\n'
ASKS = "from importlib.metadata import version\nversion('shop')"


@pytest.mark.parametrize(("lines", "outcome"), [("", "critical"), ("COPY . .\nRUN pip install .", "passed")])
def test_the_version_of_a_project_that_nothing_installs(tmp_path: Path, lines: str, outcome: str) -> None:
    dockerfile = f'FROM python:3.12-slim\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    files: Changes = {"Dockerfile": dockerfile, "main.py": ASKS + LOOP, "pyproject.toml": PROJECT, "shop.py": ""}
    assert says(tmp_path, files, "dependencies.declared", outcome, "shop" if outcome == "critical" else "")
