"""Networks and volumes that a service uses are declared; Compose refuses the file otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


USES = "services:\n  app: {{build: ., {}}}\n{}"
CASES = [
    (USES.format("networks: [inner]", "networks: {inner: {}}\n"), "passed", "1 networks and volumes"),
    (USES.format("networks: [inner]", ""), "critical", "the network inner is not declared"),
    (USES.format("networks: [inner]", "networks: {outer: {}}\n"), "critical", "inner"),
    (USES.format("volumes: ['data:/data']", "volumes: {data: {}}\n"), "passed", ""),
    (USES.format("volumes: ['data:/data']", ""), "critical", "the volume data is not declared"),
    (USES.format("volumes: ['./main.py:/data.py', data:/data]", "volumes:\n  data:\n"), "passed", "1 networks"),
]


@pytest.mark.parametrize(("compose", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, compose: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(compose), "compose.networks", outcome, words)
