"""Labels that expand to nothing, and those that a manifest demands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
CASES = [
    ('LABEL version="1"', "passed", "1 labels"),
    ("LABEL version=$VERSION", "warning", "VERSION, which is not declared in this stage"),
    ("ARG VERSION=1\nLABEL version=$VERSION", "passed", ""),
    ('LABEL version=""', "info", "is empty"),
]


@pytest.mark.parametrize(("lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, lines: str, outcome: str, words: str) -> None:
    files: Changes = {"Dockerfile": f"FROM python:3.12-slim\n{lines}\n", "main.py": LOOP}
    assert says(tmp_path, files, "dockerfile.labels", outcome, words)


@pytest.mark.parametrize(
    ("lines", "outcome", "words"),
    [("", "warning", "missing"), ('LABEL version=""', "warning", "is empty"), ('LABEL version="1"', "passed", "")],
)
def test_a_label_that_a_manifest_demands_is_no_matter_of_taste(
    tmp_path: Path, lines: str, outcome: str, words: str
) -> None:
    manifest = '[[service]]\nname = "app"\ndockerfile = "Dockerfile"\nlabels = ["version"]\n'
    files: Changes = {"Dockerfile": f"FROM python:3.12-slim\n{lines}\n", "smoke.toml": manifest}
    assert says(tmp_path, files, "dockerfile.labels", outcome, words)
