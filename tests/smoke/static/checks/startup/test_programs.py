"""Programs that code starts as it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Files, critical, judge_files

DOCKERFILE = 'FROM {}\nWORKDIR /app\nRUN pip install GitPython\nCOPY main.py .\nCMD ["python", "main.py"]\n'
STARTED = "import subprocess\n\nVERSION = subprocess.check_output({})\n"


def messages(folder: Path, main: str, base: str = "python:3.12-slim") -> list[str]:
    files: Files = {"Dockerfile": DOCKERFILE.format(base), "main.py": main + "while True:\n    pass\n"}
    return [each.message for each in critical(judge_files(folder, files))]


@pytest.mark.parametrize("words", ['["git", "--version"]', '("git", "--version")'])
def test_a_program_that_is_started_is_in_the_image(tmp_path: Path, words: str) -> None:
    assert messages(tmp_path / "a", STARTED.format(words)) == [
        "subprocess.check_output starts git, which is not in the image"
    ]
    assert messages(tmp_path / "b", STARTED.format(words), "python:3.12") == []


@pytest.mark.parametrize("words", ['"git --version", shell=True', "COMMAND", '["ls"]', '["git"], env={}'])
def test_what_cannot_be_told_is_no_fault(tmp_path: Path, words: str) -> None:
    assert messages(tmp_path, "COMMAND = input\n" + STARTED.format(words)) == []


@pytest.mark.parametrize(
    "main",
    [
        "def version():\n    import subprocess\n    subprocess.run(['git'])\n",
        f"try:\n    {STARTED.format(['git']).splitlines()[2]}\nexcept OSError:\n    pass\n",
        "import os\nos.environ['GIT_PYTHON_REFRESH'] = 'quiet'\nimport git\n",
        "try:\n    import git\nexcept ImportError:\n    git = None\n",
    ],
)
def test_what_may_fail_is_no_fault(tmp_path: Path, main: str) -> None:
    assert messages(tmp_path, "import subprocess\n" + main) == []


def test_a_module_may_need_a_program(tmp_path: Path) -> None:
    assert ["gitpython refuses to be imported without git" in each for each in messages(tmp_path, "import git\n")] == [
        True
    ]
