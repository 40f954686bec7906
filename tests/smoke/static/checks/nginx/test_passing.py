"""nginx: the ports at which it asks the services that it passes requests to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

DOCKERFILE = "FROM python:3.12-slim\nRUN pip install gunicorn flask\nCOPY app.py /\nCMD {command}\n"
COMMAND = '["gunicorn", "-b", "0.0.0.0:8000", "app:app"]'
COMPOSE = """\
services:
  web: {{build: ., {more}}}
  proxy: {{image: nginx, ports: ['80:80'], volumes: ['./a.conf:/etc/nginx/conf.d/default.conf']}}
"""


def said(folder: Path, passed: str, command: str = COMMAND, more: str = "") -> list[str]:
    files = {
        "Dockerfile": DOCKERFILE.format(command=command),
        "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        "compose.yaml": COMPOSE.format(more=more),
        "a.conf": f"{passed}server {{\n listen 80;\n location / {{ proxy_pass http://up; }}\n}}\n",
    }
    found = critical(judge_files(folder, files))
    return [each.message for each in found if each.check == "nginx.passing"]


def upstream(member: str) -> str:
    return f"upstream up {{\n server {member};\n}}\n"


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("web:5000", "nginx passes to web:5000, and web listens at 8000"),
        ("localhost:8000", "nginx passes to localhost:8000: that is its own container, and web is another"),
        ("127.0.0.1:8000", "nginx passes to 127.0.0.1:8000: that is its own container, and web is another"),
    ],
)
def test_nobody_listens_there(tmp_path: Path, member: str, says: str) -> None:
    assert said(tmp_path, upstream(member)) == [says]


@pytest.mark.parametrize(
    ("member", "command", "more"),
    [
        ("web:8000", COMMAND, ""),
        ("localhost:80", COMMAND, ""),
        ("localhost:9000", COMMAND, ""),
        ("web:5000", '["python", "app.py"]', ""),
        ("web:5000", COMMAND, "environment: {WEB_PORT: '5000'}"),
        ("web:5000", COMMAND, "environment: {GUNICORN_CMD_ARGS: '--bind=0.0.0.0:5000'}"),
        ("other:5000", COMMAND, ""),
    ],
)
def test_what_may_listen_is_left_alone(tmp_path: Path, member: str, command: str, more: str) -> None:
    assert said(tmp_path, upstream(member), command, more) == []
