"""What a service waits for is there, and can become what is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


DIGEST = "sha256:" + "0" * 64
WAITS = "services:\n  app:\n    build: .\n    depends_on: {}\n{}"
ENDED = "{db: {condition: service_completed_successfully}}"
CASES = [
    (WAITS.format("[db]", "  db: {image: redis}\n"), "passed", "waits for db"),
    (WAITS.format("[db]", ""), "critical", "no service db"),
    (WAITS.format("{db: {condition: service_started, required: false}}", ""), "passed", ""),
    (WAITS.format("{db: {condition: service_healthy}}", "  db: {image: redis}\n"), "critical", "no health check"),
    (
        WAITS.format("{db: {condition: service_healthy}}", "  db: {image: redis, healthcheck: {test: [CMD, x]}}\n"),
        "passed",
        "",
    ),
    (WAITS.format("{db: {condition: service_healthy}}", "  db: {image: example/db}\n"), "passed", ""),
    *(
        (WAITS.format("{db: {condition: service_healthy}}", f"  db: {{image: '{image}'}}\n"), "critical", "no health")
        for image in ("index.docker.io/library/redis:7", "public.ecr.aws/docker/library/redis", f"redis:7@{DIGEST}")
    ),
    (WAITS.format(ENDED, "  db: {image: 'postgres:16'}\n"), "critical", "which is a server"),
    (WAITS.format(ENDED, "  db: {image: 'postgres:16', command: createdb}\n"), "passed", ""),
    (WAITS.format(ENDED, "  db: {image: example/migrate}\n"), "passed", ""),
    (WAITS.format(ENDED, "  db: {build: .}\n"), "passed", ""),
    (WAITS.format("[db]", "  db: {image: redis, profiles: [debug]}\n"), "critical", "only a profile starts"),
    (
        WAITS.format("{db: {condition: service_healthy}}", "  db: {image: redis, healthcheck: {disable: true}}\n"),
        "critical",
        "no health check",
    ),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose), "compose.depends", outcome, words)
