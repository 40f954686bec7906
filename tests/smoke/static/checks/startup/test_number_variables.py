"""Variables that the code makes numbers of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

NUMBER = "import os\n\nN = int(os.environ['N'])\nwhile True:\n    print(N)\n"


def messages(folder: Path, main: str, steps: str = "", compose: str = "") -> list[str]:
    dockerfile = f'FROM python:3.12-slim\n{steps}COPY main.py /\nCMD ["python", "/main.py"]\n'
    files = {"Dockerfile": dockerfile, "main.py": main, **({"compose.yaml": compose} if compose else {})}
    return [each.message for each in critical(judge_files(folder, files))]


SERVICE = "services:\n  web:\n    build: .\n    environment:\n      N: %s\n"


@pytest.mark.parametrize(("steps", "compose"), [("ENV N=many\n", ""), ("", SERVICE % "'4 or 5'"), ("", SERVICE % "''")])
def test_a_word_is_no_number(tmp_path: Path, steps: str, compose: str) -> None:
    assert any("int() of it is taken" in each for each in messages(tmp_path, NUMBER, steps, compose))


def test_a_default_that_is_no_number(tmp_path: Path) -> None:
    assert any("'x'" in each for each in messages(tmp_path, "import os\nN = int(os.getenv('N', 'x'))\nprint(N)\n"))


@pytest.mark.parametrize(
    ("main", "steps", "compose"),
    [
        (NUMBER, "ENV N=4\n", ""),
        (NUMBER, "ENV N=' 4 '\n", ""),
        (NUMBER, "ENV N=many\n", SERVICE % "4"),
        (NUMBER, "", SERVICE % "${N}"),
        ("import os\nos.environ['N'] = '4'\n" + NUMBER, "ENV N=many\n", ""),
    ],
)
def test_a_number_is_one(tmp_path: Path, main: str, steps: str, compose: str) -> None:
    assert not any("is taken as" in each for each in messages(tmp_path, main, steps, compose))
