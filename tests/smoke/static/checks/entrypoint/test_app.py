"""There is something to serve in what the container starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files, says
from tests.smoke.static.checks.entrypoint.starting import FLASK, GUNICORN, QUART, tree


@pytest.mark.parametrize(
    ("start", "code", "outcome", "words"),
    [
        ('["gunicorn", "main:app"]', FLASK, "passed", ""),
        ('["gunicorn", "main:lost"]', FLASK, "critical", "main.py defines no lost for gunicorn to serve"),
        ('["gunicorn", "main:app"]', QUART, "critical", "an ASGI app, which gunicorn cannot serve"),
        ('["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "main:app"]', QUART, "passed", ""),
        ('["uvicorn", "--host", "0.0.0.0", "--port", "80", "main:app"]', FLASK, "critical", "a WSGI app"),
        ('["python", "main.py"]', "def f():\n    pass\n", "critical", "defines things and ends"),
        ('["python", "main.py"]', "", "critical", "defines things and ends"),
    ],
)
def test_there_is_something_to_serve(tmp_path: Path, start: str, code: str, outcome: str, words: str) -> None:
    expose = "EXPOSE 8000" if "gunicorn" in start else "EXPOSE 80"
    files = tree(start, f"{GUNICORN}\n{expose}", main=code)
    files = {**files, "Dockerfile": str(files["Dockerfile"]).replace('"gunicorn"', '"gunicorn", "-b", "0.0.0.0:8000"')}
    assert says(tmp_path, files, "entrypoint.app", outcome, words)


def test_what_starts_nothing_of_python_is_skipped_by_all_three(tmp_path: Path) -> None:
    judgment = judge_files(tmp_path, tree('["sleep", "9"]'))
    verdicts = {each.check: each.verdict for each in judgment.findings if each.check.startswith("entrypoint.")}
    assert {*verdicts} == {"entrypoint.exists", "entrypoint.imports", "entrypoint.app"}
    assert {*verdicts.values()} == {"skip"} and not critical(judgment)
