"""NLTK's data that the code takes for granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

WORDS = "from nltk.corpus import stopwords\n\nS = stopwords.words('english')\nwhile True:\n    print(S)\n"


def messages(folder: Path, main: str, steps: str = "") -> list[str]:
    dockerfile = (
        f'FROM python:3.12-slim\nRUN pip install nltk==3.9.1\n{steps}COPY main.py /\nCMD ["python", "/main.py"]\n'
    )
    return [each.message for each in critical(judge_files(folder, {"Dockerfile": dockerfile, "main.py": main}))]


def test_data_that_nothing_brings(tmp_path: Path) -> None:
    assert any("NLTK's stopwords" in each for each in messages(tmp_path, WORDS))


@pytest.mark.parametrize(
    ("main", "steps"),
    [
        (WORDS, "RUN python -m nltk.downloader stopwords\n"),
        (WORDS, "ENV NLTK_DATA=/data\n"),
        ("import nltk\nnltk.download('stopwords')\n" + WORDS, ""),
        (WORDS.replace("S = stop", "def f(): return stop").replace("print(S)", "f()"), ""),
    ],
)
def test_data_that_may_be_there(tmp_path: Path, main: str, steps: str) -> None:
    assert not any("NLTK" in each for each in messages(tmp_path, main, steps))
