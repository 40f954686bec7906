"""The directories of PATH: which are surely not in the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, judge_files, says

FROM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("lines", "outcome", "words"),
    [
        (f"{FROM}ENV PATH=/app/bin:$PATH", "warning", "PATH names /app/bin, which is not in the image"),
        (f"{FROM}RUN mkdir -p /app/bin\nENV PATH=/app/bin:$PATH", "passed", ""),
        (f"{FROM}ENV PATH=/app/bin:$PATH\nRUN mkdir -p /app/bin", "passed", ""),
        (f"{FROM}ENV PATH=$PATH:/opt/tools/bin", "warning", "/opt/tools/bin"),
        (f"{FROM}RUN ./install\nENV PATH=/opt/tools/bin:$PATH", "passed", ""),
        (f"{FROM}ENV PATH=/usr/lib/tools:$PATH", "passed", ""),
        (f"{FROM}ENV PATH=/root/.local/bin:$PATH", "passed", ""),
        (f"{FROM}ENV PATH=bin:$PATH", "passed", ""),
        (f"{FROM}RUN true", "passed", ""),
        ("FROM example.org/own:1\nENV PATH=/app/bin", "passed", ""),
        (f"{FROM}RUN python -m venv /venv\nENV PATH=/venv/bin:$PATH", "passed", ""),
        (f"{FROM}WHAT", "skipped", "the Dockerfile cannot be followed"),
    ],
)
def test_outcome(tmp_path: Path, lines: str, outcome: str, words: str) -> None:
    """What a base or a command may have brought is left alone, and so is what is mounted or made later."""
    assert says(tmp_path, {"Dockerfile": f"{lines}\n"}, "dockerfile.path", outcome, words)


def test_each_one_is_told_with_the_last_line_that_names_it(tmp_path: Path) -> None:
    text = f"{FROM}ENV PATH=/app/a:$PATH\nENV PATH=/app/b:$PATH\nENV PATH=/app/a:$PATH\n"
    found = [each for each in judge_files(tmp_path, {"Dockerfile": text}).findings if each.check == "dockerfile.path"]
    assert {(each.message.split()[2].strip(","), each.evidence[0].line) for each in found} == {
        ("/app/a", 4),
        ("/app/b", 3),
    }


def test_what_compose_sets_counts(tmp_path: Path) -> None:
    compose = "services:\n  one:\n    build: .\n    environment: {PATH: '/app/bin:/usr/bin'}\n"
    files: Changes = {"Dockerfile": FROM, "compose.yaml": compose}
    assert says(tmp_path, files, "dockerfile.path", "warning", "/app/bin")
