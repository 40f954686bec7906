"""Locales and time zones that bare images lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

LOCALE = "import locale, time\nlocale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\nwhile True:\n    time.sleep(1)\n"
ZONE = "import time\nfrom zoneinfo import ZoneInfo\nHOME = ZoneInfo('Europe/Berlin')\nwhile True:\n    time.sleep(1)\n"


def messages(folder: Path, head: str, main: str) -> list[str]:
    dockerfile = f'{head}\nCOPY main.py /\nCMD ["python3", "/main.py"]\n'
    return [each.message for each in critical(judge_files(folder, {"Dockerfile": dockerfile, "main.py": main}))]


@pytest.mark.parametrize(
    ("head", "main", "says"),
    [
        ("FROM python:3.12-slim", LOCALE, "no locale de_DE.UTF-8"),
        ("FROM alpine:3.20\nRUN apk add --no-cache python3", ZONE, "no time zones"),
    ],
)
def test_what_is_lacking_is_told(tmp_path: Path, head: str, main: str, says: str) -> None:
    assert any(says in each for each in messages(tmp_path, head, main))


@pytest.mark.parametrize(
    ("head", "main"),
    [
        ("FROM python:3.12-slim\nRUN apt-get update && apt-get install -y locales-all", LOCALE),
        ("FROM python:3.12-alpine", LOCALE),
        ("FROM python:3.12-slim", LOCALE.replace("de_DE.UTF-8", "C.UTF-8")),
        ("FROM python:3.12-slim", LOCALE.replace("'de_DE.UTF-8'", "''")),
        ("FROM alpine:3.20\nRUN apk add --no-cache python3 tzdata", ZONE),
        ("FROM python:3.12-alpine", ZONE),
        ("FROM python:3.12-slim", ZONE),
    ],
)
def test_what_is_there_is_no_fault(tmp_path: Path, head: str, main: str) -> None:
    assert messages(tmp_path, head, main) == []
