"""Each service has something to run, or its Compose file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


CASES = [
    ("services:\n  app: {build: .}\n", "passed", "compose.yaml has app"),
    ("services:\n  app: {image: redis}\n", "passed", ""),
    ("services:\n  app: {ports: ['80:80']}\n", "critical", "neither an image nor a build context"),
    ("services:\n  app: {build: ./nowhere}\n", "critical", "nowhere"),
    ("services:\n  app: {build: {context: ., dockerfile: Dockerfile.lost}}\n", "critical", "Dockerfile.lost"),
    ("services: {}\n", "critical", "no services"),
    ("services:\n  app: {build: .}\n  app: {build: .}\n", "critical", ""),
    ("services: [\n", "critical", ""),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose), "compose.services", outcome, words)


def test_a_manifest_can_demand_that_compose_has_a_service(tmp_path: Path) -> None:
    manifest = 'compose = ["compose.yaml"]\n[[service]]\nname = "api"\ndockerfile = "Dockerfile"\n'
    files = tree("services:\n  redis: {image: redis}\n", **{"smoke.toml": manifest})
    assert says(tmp_path, files, "compose.services", "critical", "no Compose file has it")


def test_without_a_compose_file_there_is_nothing_to_hold_against_it(tmp_path: Path) -> None:
    assert says(tmp_path, {"Dockerfile": APP, "main.py": LOOP}, "compose.services", "passed", "no Compose file")
