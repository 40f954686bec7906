"""Files that services mount and that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says


@pytest.mark.parametrize(
    ("volume", "outcome"),
    [
        ("./there.conf:/x", "passed"),
        ("./lost.conf:/etc/x.conf", "critical"),
        ("data:/data", "passed"),
        ("./made-at-run:/data", "passed"),
        ("/etc/localtime:/etc/localtime", "passed"),
        ("$HOME/x.conf:/x.conf", "passed"),
    ],
)
def test_a_file_that_is_mounted(tmp_path: Path, volume: str, outcome: str) -> None:
    """For a file that is not there Docker makes a directory, which the program cannot read; a directory is made."""
    compose = f"services:\n  app: {{image: redis, volumes: ['{volume}']}}\nvolumes: {{data: {{}}}}\n"
    files = {"compose.yaml": compose, "there.conf": "", "made-at-run/.keep": ""}
    assert says(tmp_path, files, "compose.services", outcome, "lost.conf" if outcome == "critical" else "")
