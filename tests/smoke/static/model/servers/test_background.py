"""Servers that leave the process that the container lives by."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

APP = "from flask import Flask\n\napp = Flask(__name__)\n"
HEAD = "FROM python:3.12-slim\nWORKDIR /app\nRUN pip install flask gunicorn celery\nCOPY . .\n"


def messages(folder: Path, command: str, head: str = HEAD, **files: str) -> list[str]:
    named = {name.replace("_", "."): text for name, text in files.items()}
    tree = {"Dockerfile": f"{head}CMD {command}\n", "app.py": APP, **named}
    return [each.message for each in critical(judge_files(folder, tree))]


@pytest.mark.parametrize(
    "command",
    ['["gunicorn", "-D", "app:app"]', '["gunicorn", "--daemon", "-b", ":80", "app:app"]', "gunicorn --daemon app:app"],
)
def test_an_option_asks_for_it(tmp_path: Path, command: str) -> None:
    assert any("gunicorn goes into the background" in each for each in messages(tmp_path, command))


def test_a_configuration_asks_for_it(tmp_path: Path) -> None:
    told = messages(tmp_path, '["gunicorn", "-b", "0.0.0.0:80", "app:app"]', gunicorn_conf_py="daemon = True\n")
    assert any("gunicorn.conf.py sets daemon" in each for each in told)


NGINX = "FROM debian:12-slim\nRUN apt-get update && apt-get install -y nginx\n"


def test_nginx_does_it_unasked(tmp_path: Path) -> None:
    assert any("daemon off" in each for each in messages(tmp_path, '["nginx"]', NGINX))


@pytest.mark.parametrize(
    ("command", "head"),
    [
        ('["nginx", "-g", "daemon off;"]', NGINX),
        ('["nginx"]', NGINX + 'RUN echo "daemon off;" >> /etc/nginx/nginx.conf\n'),
        ('["nginx"]', NGINX + "COPY nginx.conf /etc/nginx/nginx.conf\n"),
        ('["nginx", "-t"]', NGINX),
        ('["gunicorn", "-b", "0.0.0.0:80", "app:app"]', HEAD),
    ],
)
def test_what_stays_is_left_alone(tmp_path: Path, command: str, head: str) -> None:
    assert messages(tmp_path, command, head, nginx_conf="daemon off;\nevents {}\n") == []
