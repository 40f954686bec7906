"""Programs that keep others running: the one that cannot start is named, with what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

HEAD = "FROM python:3.12-slim\nRUN pip install honcho supervisor gunicorn flask\nWORKDIR /srv\nCOPY . .\n"
WEB = "from flask import Flask\n\napp = Flask(__name__)\n"


def tree(procfile: str, start: str = '["honcho", "start"]', **more: str) -> Changes:
    named = {name.replace("_", "."): text for name, text in more.items()}
    return {"Dockerfile": f"{HEAD}CMD {start}\n", "Procfile": procfile, "web.py": WEB, **named}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (tree("web: gunicorn web:app\n"), ""),
        (tree("web: gunicorn wsgi:app\n"), "there is no module wsgi in /srv"),
        (tree("web: python lost.py\n"), "there is no /srv/lost.py"),
        (tree("web: gunicorn web:app\njobs: python lost.py\n", '["honcho", "start", "web"]'), ""),
        (tree("web: gunicorn web:app\n", '["honcho", "start", "jobs"]'), "jobs, which Procfile does not have"),
        (tree("", '["honcho", "-f", "Procfile.dev", "start"]'), "Procfile.dev, which is not in the image"),
    ],
)
def test_a_procfile(tmp_path: Path, files: Changes, says: str) -> None:
    found = [message for kind, message in outcomes(tmp_path, files, "dockerfile.entrypoint") if kind == "critical"]
    assert [says in each for each in found] == ([True] if says else [])


CONF = "[supervisord]\nnodaemon=true\nuser=root\n\n[program:web]\ncommand=gunicorn web:app\n"
START = '["supervisord", "-c", "/srv/own.conf"]'


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        (CONF + "directory=/srv\n", ""),
        (CONF + "directory=/srv/lost\n", "in /srv/lost, which is not in the image"),
        (CONF + "user=www-data\n", ""),
        (CONF + "user=shop\n", "the user shop, whom the image does not have"),
        (CONF.replace("nodaemon=true\n", ""), "goes into the background"),
        (CONF.replace("web:app", "lost:app"), "there is no module lost in /srv"),
    ],
)
def test_a_configuration_of_supervisord(tmp_path: Path, conf: str, says: str) -> None:
    files = tree("", START, own_conf=conf)
    found = [message for kind, message in outcomes(tmp_path, files, "dockerfile.entrypoint") if kind == "critical"]
    assert [says in each for each in found] == ([True] if says else [])


def test_logs_are_made_where_there_is_a_directory(tmp_path: Path) -> None:
    files = tree("", START, own_conf=CONF + "stdout_logfile=/var/log/shop/web.log\nstderr_logfile=/dev/stderr\n")
    found = [message for kind, message in outcomes(tmp_path, files, "startup.files") if kind == "critical"]
    assert ["/var/log/shop" in each for each in found] == [True]
