"""The checks of nginx, of which nothing is told where nothing runs it."""

from __future__ import annotations

from pathlib import Path

from smoke.static.checks.nginx.rules import CHECKS
from tests.smoke.cases import judge_files

FILES = {"Dockerfile": 'FROM python:3.12-slim\nCOPY a.py /\nCMD ["python", "/a.py"]\n', "a.py": "while True: pass\n"}


def test_none_is_told_where_nothing_runs_nginx(tmp_path: Path) -> None:
    told = {each.check for each in judge_files(tmp_path, FILES).findings}
    assert not told & {check.id for check in CHECKS} and len(CHECKS) == len({check.id for check in CHECKS})
