"""The user that is asked for is there, is the one that runs, and can read what it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
PYTHON = 'FROM python:3.12-slim\nWORKDIR /srv\n{}\nCMD ["python", "main.py"]\n'
CASES = [
    ("COPY main.py .", "info", "runs as root"),
    ("COPY main.py .\nUSER nobody", "passed", "it runs as nobody"),
    ("COPY main.py .\nUSER ghost", "critical", "no user ghost"),
    ("RUN useradd ghost\nCOPY main.py .\nUSER ghost", "passed", ""),
    ("COPY main.py .\nUSER 4242", "passed", "it runs as 4242"),
    ("COPY --chmod=600 main.py .\nUSER 4242", "critical", "4242 cannot read it"),
    ("COPY --chown=4242 --chmod=600 main.py .\nUSER 4242", "passed", ""),
    ("COPY --chmod=600 main.py .", "info", ""),
]


@pytest.mark.parametrize(("lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, lines: str, outcome: str, words: str) -> None:
    files: Changes = {"Dockerfile": PYTHON.format(lines), "main.py": LOOP}
    assert says(tmp_path, files, "dockerfile.user", outcome, words)


@pytest.mark.parametrize(
    ("wanted", "user", "outcome"),
    [
        ("65532", "65532", "passed"),
        ("65532:65532", "65532", "passed"),
        ("65532:65532", "65532:0", "critical"),
        ("65532", "1000", "critical"),
        ("0", "root", "passed"),
    ],
)
def test_a_manifest_demands_a_user_by_number(tmp_path: Path, wanted: str, user: str, outcome: str) -> None:
    manifest = f'[[service]]\nname = "app"\ndockerfile = "Dockerfile"\nuser = "{wanted}"\n'
    files = {"Dockerfile": PYTHON.format(f"COPY main.py .\nUSER {user}"), "main.py": LOOP, "smoke.toml": manifest}
    assert says(tmp_path, files, "dockerfile.user", outcome, "")


def test_a_user_that_compose_gives_is_told_where_compose_says_so(tmp_path: Path) -> None:
    files: Changes = {
        "Dockerfile": PYTHON.format("COPY main.py ."),
        "main.py": LOOP,
        "compose.yaml": "services:\n  app:\n    build: .\n    user: ghost\n",
    }
    assert says(tmp_path, files, "dockerfile.user", "critical", "no user ghost")
