"""What the documents show of Python is run: the examples of simulator.md, and the notebooks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site import TREE

NOTEBOOKS = sorted((TREE / "docs" / "notebooks").glob("*.py"))


def test_the_examples_of_the_simulator_run(tmp_path: Path) -> None:
    text = (TREE / "docs" / "simulator.md").read_text("utf-8")
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 5
    # Where one fails, what is printed says which.
    body = "\n".join(f"print('example {number}')\n{each}" for number, each in enumerate(examples, 1))
    done = run_python(["-c", body], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("example 1\npass ") and "[('crash', 'n01'), ('deaf', 'n02')]" in done.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def test_a_notebook_runs_from_its_first_cell_to_its_last(path: Path, tmp_path: Path) -> None:
    done = run_python([str(path)], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("runs that passed 3") == 6, done.stdout


def run_python(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python from an empty folder."""
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
