"""What a supervisor keeps running: each of its programs has to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

CONF = "[supervisord]\nnodaemon=true\n[program:app]\ncommand={}\n"


def tree(conf: str, command: str = '["supervisord", "-c", "/etc/own.conf"]') -> Changes:
    head = "FROM python:3.12-slim\nRUN pip install supervisor honcho\nWORKDIR /srv\nCOPY own.conf /etc/own.conf\n"
    text = f"{head}COPY main.py Procfile ./\nCMD {command}\n"
    return {
        "Dockerfile": text,
        "own.conf": conf,
        "main.py": "import time\ntime.sleep(9)\n",
        "Procfile": "web: python lost.py\n",
    }


@pytest.mark.parametrize(
    ("conf", "outcome"),
    [
        (CONF.format("python /srv/main.py"), "skipped"),
        (CONF.format("python /srv/lost.py"), "critical"),
        (CONF.format("python /srv/lost.py\nautostart=false"), "skipped"),
        (CONF.format("%(ENV_CMD)s"), "skipped"),
    ],
)
def test_supervisord(tmp_path: Path, conf: str, outcome: str) -> None:
    """Where nothing speaks against its programs, it may still fail for what is not looked into."""
    assert says(tmp_path, tree(conf), "dockerfile.entrypoint", outcome, "")


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    files = tree("", '["supervisord", "-c", "/srv/lost.conf"]')
    assert says(tmp_path, files, "dockerfile.entrypoint", "critical", "/srv/lost.conf")


def test_a_procfile(tmp_path: Path) -> None:
    assert says(tmp_path, tree("", '["honcho", "start"]'), "dockerfile.entrypoint", "critical", "lost.py")
