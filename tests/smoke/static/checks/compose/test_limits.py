"""A service of Compose has a limit of memory, or is told that it lacks one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


DEMANDED = {"smoke.toml": "[policy]\nhardening = true\n"}


@pytest.mark.parametrize(
    ("keys", "demanded", "outcome"),
    [
        ("mem_limit: 64m", {}, "passed"),
        ("deploy: {resources: {limits: {memory: 64m}}}", {}, "passed"),
        ("", {}, "info"),
        ("", DEMANDED, "warning"),
    ],
)
def test_memory_has_a_limit(tmp_path: Path, keys: str, demanded: dict[str, str], outcome: str) -> None:
    files = tree(f"services:\n  app: {{build: ., {keys}}}\n", **demanded)
    assert says(tmp_path, files, "compose.limits", outcome, "")
