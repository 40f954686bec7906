"""What the container starts serves at the port that everyone expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import says
from tests.smoke.static.checks.entrypoint.starting import FLASK, GUNICORN, LOOP, QUART, SERVE, tree


@pytest.mark.parametrize(
    ("start", "code", "outcome", "words"),
    [
        ('["uvicorn", "--host", "0.0.0.0", "--port", "80", "main:app"]', QUART, "passed", "it serves at 80"),
        ('["uvicorn", "--host", "0.0.0.0", "--port", "81", "main:app"]', QUART, "critical", "it binds to 81"),
        ('["uvicorn", "--host", "127.0.0.1", "--port", "80", "main:app"]', QUART, "critical", "listens at 127.0.0.1"),
        ('["python", "main.py"]', SERVE.format("0.0.0.0", 80), "skipped", "cannot be told from its source"),
        ('["python", "main.py"]', LOOP, "skipped", "the port that it binds to cannot be told"),
        ('["python", "main.py"]', FLASK + "app.run(host='0.0.0.0', port=81)\n", "critical", "it binds to 81"),
        ('["python", "main.py"]', FLASK + "app.run(port=80)\n", "critical", "listens at 127.0.0.1"),
        ('["python", "main.py"]', FLASK + "app.run(host='0.0.0.0', port=80)\n", "passed", "it serves at 80"),
    ],
)
def test_it_serves_at_the_port_that_is_exposed(tmp_path: Path, start: str, code: str, outcome: str, words: str) -> None:
    expose = "EXPOSE 8000" if "gunicorn" in start else "EXPOSE 80"
    files = tree(start, f"{GUNICORN}\n{expose}", main=code)
    files = {**files, "Dockerfile": str(files["Dockerfile"]).replace('"gunicorn"', '"gunicorn", "-b", "0.0.0.0:8000"')}
    assert says(tmp_path, files, "entrypoint.app", outcome, words)
