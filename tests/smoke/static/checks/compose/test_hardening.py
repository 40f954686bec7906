"""What a service that was broken into can do, and how much memory it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

APP = 'FROM python:3.12-slim\nCOPY main.py /\nEXPOSE 8080\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"


def tree(compose: str, **more: str) -> Changes:
    """A tree with one Dockerfile and this Compose file."""
    return {"Dockerfile": APP, "main.py": LOOP, "compose.yaml": compose, **more}


HARD = "read_only: true, cap_drop: [ALL], security_opt: ['no-new-privileges:true']"
CASES = [
    ("", "info", "it lacks read_only: true, cap_drop: [ALL]"),
    (HARD, "passed", "without capabilities"),
    (HARD.replace("ALL", "NET_RAW"), "info", "cap_drop"),
    (f"{HARD}, privileged: true", "info", "privileged"),
    (f"{HARD}, user: root", "info", "runs as root"),
]
DEMANDED = {"smoke.toml": "[policy]\nhardening = true\n"}


@pytest.mark.parametrize(("keys", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, keys: str, outcome: str, words: str) -> None:
    files = tree(f"services:\n  app: {{build: ., {keys}}}\n")
    assert says(tmp_path, files, "compose.hardening", outcome, words)


@pytest.mark.parametrize(
    ("keys", "outcome"), [("", "warning"), (f"{HARD}, privileged: true", "critical"), (HARD, "passed")]
)
def test_a_manifest_can_demand_it(tmp_path: Path, keys: str, outcome: str) -> None:
    files = tree(f"services:\n  app: {{build: ., {keys}}}\n", **DEMANDED)
    assert says(tmp_path, files, "compose.hardening", outcome, "")
