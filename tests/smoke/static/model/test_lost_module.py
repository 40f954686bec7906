"""Modules that a start is to load, and that are surely nowhere on its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

HEAD = "FROM python:3.12-slim\nRUN pip install honcho gunicorn flask\nWORKDIR /srv\nCOPY . .\n"
WEB = "from flask import Flask\n\napp = Flask(__name__)\n"


@pytest.mark.parametrize(
    ("lines", "loaded", "says"),
    [
        ("", "web:app", ""),
        ("", "parts.web:app", ""),
        ("", "lost:app", "there is no module lost in /srv"),
        ("", "lost.web:app", "there is no module lost.web in /srv"),
        ("", "json:app", ""),
        ("", "requests:app", ""),
        ("", "$APP", ""),
        ("ENV PYTHONPATH=/srv/parts\n", "inner:app", ""),
        ("RUN python make.py\n", "lost:app", ""),
    ],
)
def test_a_module(tmp_path: Path, lines: str, loaded: str, says: str) -> None:
    files: Changes = {
        "Dockerfile": f'{HEAD}{lines}CMD ["honcho", "start"]\n',
        "Procfile": f"web: gunicorn {loaded}\n",
        "web.py": WEB,
        "make.py": "import os\n\nos.makedirs('lost')\n",
        "parts/web.py": WEB,
        "parts/inner.py": WEB,
    }
    found = [message for kind, message in outcomes(tmp_path, files, "dockerfile.entrypoint") if kind == "critical"]
    assert [says in each for each in found] == ([True] if says else [])
