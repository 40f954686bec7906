"""Requirements that cannot be had for arm64."""

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
    ("mkl==2024.0.0\n", "critical", "mkl has no wheel for aarch64"),
    ("requests==2.32.0\n", "passed", "1 requirements"),
    ("nobodyknowsit==1\n", "skipped", "nobodyknowsit"),
]


@pytest.mark.parametrize(("requirements", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, requirements: str, outcome: str, words: str) -> None:
    lines = "COPY requirements.txt .\nRUN pip install -r requirements.txt"
    files = tree("", lines, "--platform=linux/arm64 python:3.12-slim", **{"requirements.txt": requirements})
    assert says(tmp_path, files, "dependencies.arm64", outcome, words)


def test_another_platform_is_none_of_its_business(tmp_path: Path) -> None:
    files = tree("", "RUN pip install mkl==2024.0.0", "--platform=linux/amd64 python:3.12-slim")
    assert says(tmp_path, files, "dependencies.arm64", "skipped", "built for linux/amd64")
