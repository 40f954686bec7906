"""Why a module may be there although nothing installs it: then no failure may be told."""

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
    ("example/own:1", "import redis", "skipped"),
    ("python:3.12-slim", "import redis", "critical"),
    ("python:3.11-slim", "import setuptools", "skipped"),
    ("python:3.12-slim", "import setuptools", "critical"),
    ("python:3.12-slim", "import pip", "skipped"),
    ("debian:12", "import redis", "skipped"),
]


@pytest.mark.parametrize(("base", "code", "outcome"), CASES)
def test_the_base_may_have_it_or_surely_not(tmp_path: Path, base: str, code: str, outcome: str) -> None:
    lines = "RUN apt-get update && apt-get install -y python3 python-is-python3" if base.startswith("debian") else ""
    assert says(tmp_path, tree(code, lines, base), "dependencies.declared", outcome, "")


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        ("RUN ./fetch /usr/local/lib/python3.12/site-packages", "skipped"),
        ("RUN apt-get update && apt-get install -y python3-redis", "critical"),
        ("RUN mkdir /var/own", "critical"),
    ],
)
def test_a_command_that_cannot_be_followed_may_have_brought_it(tmp_path: Path, lines: str, outcome: str) -> None:
    """Debian's own packages are for Debian's own Python, which an image of Python does not start."""
    files = tree("import redis", f"COPY fetch .\n{lines}", fetch="#!/bin/sh\n")
    assert says(tmp_path, files, "dependencies.declared", outcome, "redis")
