"""What is built is for the platform that was asked for, or nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def asked(dockerfile: str, **more: str) -> Changes:
    """A tree whose manifest asks for arm64."""
    manifest = '[[service]]\nname = "app"\ndockerfile = "Dockerfile"\nplatform = "linux/arm64"\n'
    return {"Dockerfile": dockerfile, "main.py": LOOP, "smoke.toml": manifest, **more}


@pytest.mark.parametrize(
    ("dockerfile", "outcome", "words"),
    [
        ("FROM --platform=linux/arm64 python:3.12-slim\n", "passed", "pinned to linux/arm64"),
        ("FROM --platform=linux/arm64/v8 python:3.12-slim\n", "passed", ""),
        ("FROM --platform=linux/amd64 python:3.12-slim\n", "critical", "not linux/arm64"),
        ("FROM python:3.12-slim\n", "skipped", "nothing in the tree says arm64"),
        (
            "FROM --platform=linux/amd64 python:3.12-slim AS build\nFROM --platform=linux/arm64 python:3.12-slim\n",
            "passed",
            "",
        ),
    ],
)
def test_the_final_stage_decides(tmp_path: Path, dockerfile: str, outcome: str, words: str) -> None:
    assert says(tmp_path, asked(dockerfile), "dockerfile.platform", outcome, words)


@pytest.mark.parametrize(("named", "outcome"), [("linux/arm64", "passed"), ("linux/amd64", "critical")])
def test_a_bake_file_decides_where_the_dockerfile_does_not(tmp_path: Path, named: str, outcome: str) -> None:
    bake = f'target "app" {{\n  dockerfile = "Dockerfile"\n  platforms = ["{named}"]\n}}\n'
    files = asked("FROM python:3.12-slim\n", **{"docker-bake.hcl": bake})
    assert says(tmp_path, files, "dockerfile.platform", outcome, named)


DOWNLOAD = 'FROM --platform=linux/arm64 python:3.12-slim\nADD https://example.org/tool-{} /tool\nENTRYPOINT ["/tool"]\n'


@pytest.mark.parametrize(("machine", "outcome"), [("amd64", "critical"), ("x86_64", "critical"), ("arm64", "passed")])
def test_a_program_of_another_machine_is_not_started(tmp_path: Path, machine: str, outcome: str) -> None:
    files: Changes = {"Dockerfile": DOWNLOAD.format(machine)}
    assert says(tmp_path, files, "dockerfile.platform", outcome, machine if outcome == "critical" else "")
