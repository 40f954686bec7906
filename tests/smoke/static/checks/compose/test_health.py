"""A health check of Compose runs in the image, and asks where the service listens."""

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
ASKS = "services:\n  app:\n    build: .\n    ports: ['8080:8080']\n    healthcheck: {{test: {}}}\n"
CASES = [
    (ASKS.format("[CMD, python, -c, 'pass']"), "passed", "it can run"),
    (ASKS.format("[CMD, curl, 'http://localhost:8080']"), "critical", "curl is not in the image"),
    (ASKS.format("curl -f http://localhost:8080"), "critical", "curl is not in the image"),
    (ASKS.format("curl -f http://localhost:8080 || exit 1"), "critical", "curl"),
    (ASKS.format("[CMD, python, -c, \"get('http://localhost:9090')\"]"), "critical", "port 9090"),
    (ASKS.format("[CMD, python, -c, \"get('http://localhost:8080')\"]"), "passed", ""),
    (ASKS.format("[NONE]"), "warning", "no health check"),
    ("services:\n  app: {image: shop/own, healthcheck: {test: [CMD, curl]}}\n", "skipped", "not known"),
    ("services:\n  app: {image: redis, healthcheck: {test: [CMD, redis-cli, ping]}}\n", "skipped", "not known"),
    ("services:\n  app: {image: redis, healthcheck: {test: [CMD, curl]}}\n", "critical", "redis has no curl"),
    ("services:\n  app: {image: 'redis:7', healthcheck: {test: pg_isready}}\n", "critical", "has no pg_isready"),
    ("services:\n  app: {image: 'redis:7-alpine', healthcheck: {test: wget x}}\n", "skipped", "not known"),
    *(
        (f"services:\n  app: {{image: '{image}', healthcheck: {{test: wget x}}}}\n", "skipped", "not known")
        for image in (f"redis:7-alpine@{DIGEST}", f"redis@{DIGEST}")
    ),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose), "compose.health", outcome, words)
