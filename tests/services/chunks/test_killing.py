"""A data chain killed with SIGKILL before each step of all it does: nothing acknowledged is lost, nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.chunks.killed import OPERATIONS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_killed_before_each_step(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.services.chunks.killing", name, str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    cuts = [json.loads(line) for line in said.stdout.splitlines()]
    assert cuts and all(killed for _, _, killed, _, _ in cuts)
    wrong = [f"before step {number}, {step}: {found}" for number, step, _, _, found in cuts if found]
    assert not wrong, "\n".join(wrong)
