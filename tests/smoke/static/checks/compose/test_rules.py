"""The checks of Compose files, as they are told where there is no such file."""

from __future__ import annotations

from pathlib import Path

from smoke.finding import Verdict
from smoke.static.checks.compose.rules import CHECKS
from tests.smoke.cases import judge_files

FILES = {"Dockerfile": 'FROM python:3.12-slim\nCOPY a.py /\nCMD ["python", "/a.py"]\n', "a.py": "while True: pass\n"}


def test_each_is_told_once_where_there_is_no_compose_file(tmp_path: Path) -> None:
    told = [each for each in judge_files(tmp_path, FILES).findings if each.check.startswith("compose.")]
    assert [each.check for each in told] == [check.id for check in CHECKS]
    assert all(each.verdict is Verdict.PASS and "no Compose file" in each.message for each in told)
