"""Stages that are named by FROM and by --from have to be there, before the line that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
TWO = "FROM python:3.12-slim AS build\nFROM python:3.12-slim\n"
CASES = [
    ("FROM python:3.12-slim\n", "info", "one stage only"),
    (TWO + "COPY --from=build /etc/passwd /x\n", "info", "not distroless"),
    (TWO + "COPY --from=builds /etc/passwd /x\n", "critical", "build is one"),
    (TWO + "COPY --from=7 /etc/passwd /x\n", "critical", "no stage 7"),
    (TWO + "COPY --from=later /etc/passwd /x\nFROM python:3.12-slim AS later\n", "critical", "before this one"),
    (
        "FROM python:3.12-slim AS build\nCOPY --from=last /etc/passwd /x\n"
        "FROM build AS last\nCOPY --from=build /x /y\n",
        "critical",
        "no stage last before this one",
    ),
    (TWO + "COPY --from=build /nowhere-at-all /x\n", "critical", "does not make it"),
    (TWO + "COPY --from=redis /usr/local/bin/redis-server /x\n", "info", ""),
    ("FROM python:$TAG\n", "critical", "TAG, which nothing sets"),
    ("ARG TAG=3.12-slim\nFROM python:$TAG\n", "info", "one stage only"),
]


@pytest.mark.parametrize(("dockerfile", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, dockerfile: str, outcome: str, words: str) -> None:
    assert says(tmp_path, {"Dockerfile": dockerfile, "main.py": LOOP}, "dockerfile.stages", outcome, words)


@pytest.mark.parametrize(("final", "outcome"), [("python:3.12-slim", "critical"), ("example/own:1", "skipped")])
def test_a_manifest_can_demand_a_distroless_end(tmp_path: Path, final: str, outcome: str) -> None:
    """Of an unknown base it cannot be told: a skip, which `--strict` counts."""
    files: Changes = {
        "Dockerfile": f"FROM python:3.12-slim AS build\nFROM {final}\n",
        "smoke.toml": "[policy]\ndistroless = true\n",
    }
    assert says(tmp_path, files, "dockerfile.stages", outcome, "distroless")
