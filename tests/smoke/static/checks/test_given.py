"""What a program demands of whoever starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files, outcomes

MAIN = "import sys\nprint(sys.argv[1])\n"


@pytest.mark.parametrize(
    ("start", "lacks"),
    [
        ('CMD ["python", "main.py"]', True),
        ('CMD ["python", "main.py", "a"]', False),
        ('ENTRYPOINT ["python", "main.py"]', False),
    ],
)
def test_arguments_that_the_command_does_not_give(tmp_path: Path, start: str, lacks: bool) -> None:
    dockerfile = f"FROM python:3.12-slim\nWORKDIR /app\nCOPY main.py .\n{start}\n"
    found = critical(judge_files(tmp_path, {"Dockerfile": dockerfile, "main.py": MAIN}))
    assert any("sys.argv[1]" in each.message for each in found) is lacks


@pytest.mark.parametrize(
    ("factory", "start", "told"),
    [
        ("create_app(config)", "web:create_app()", True),
        ("create_app(config, *, mode)", "web:create_app()", True),
        ("create_app(config=None)", "web:create_app()", False),
        ("create_app(*more, **others)", "web:create_app()", False),
        ("create_app(config)", "web:create_app('x')", False),
    ],
)
def test_what_a_factory_is_not_given(tmp_path: Path, factory: str, start: str, told: bool) -> None:
    head = "FROM python:3.12-slim\nWORKDIR /srv\nRUN pip install flask gunicorn\nCOPY web.py .\n"
    text = f'{head}CMD ["gunicorn", "-b", "0.0.0.0:80", "{start}"]\n'
    code = f"from flask import Flask\n\n\ndef {factory}:\n    return Flask(__name__)\n"
    found = outcomes(tmp_path, {"Dockerfile": text, "web.py": code}, "entrypoint.app")
    assert any(kind == "critical" and "create_app takes" in message for kind, message in found) == told
