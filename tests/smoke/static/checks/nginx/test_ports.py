"""nginx: the ports that it listens at, and those that Compose publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.checks.nginx.ports import listening
from tests.smoke.cases import critical, judge_files

OWN = {"a.conf": "/etc/nginx/conf.d/default.conf"}
MORE = {"a.conf": "/etc/nginx/conf.d/site.conf"}
MAIN = {"a.conf": "/etc/nginx/nginx.conf"}


@pytest.mark.parametrize(
    ("text", "targets", "ports"),
    [
        ("server {\n listen 8080;\n}", OWN, {8080}),
        ("server {\n listen 8080 default_server;\n listen [::]:8080;\n}", OWN, {8080}),
        ("server {\n listen 0.0.0.0:81;\n}\nserver {\n listen 443 ssl;\n}", OWN, {81, 443}),
        ("server {\n location / {}\n}", OWN, {80}),
        ("server {\n listen 8080;\n}", MORE, {80, 8080}),
        ("http {\n server {\n listen 8080;\n }\n}", MAIN, {8080}),
        ("http {\n include /etc/nginx/conf.d/*.conf;\n}", MAIN, {80}),
        ("server {\n listen ${PORT};\n}", OWN, set()),
        ("include /srv/sites/*;\nserver {\n listen 8080;\n}", OWN, set()),
        ("server {\n listen unix:/run/x.sock;\n}", OWN, set()),
    ],
)
def test_ports(text: str, targets: dict[str, str], ports: set[int]) -> None:
    assert listening({"a.conf": text}, targets) == ports


MOUNT = "'./a.conf:/etc/nginx/conf.d/default.conf'"
OTHER = "server {\n listen 8080;\n}\n"


@pytest.mark.parametrize(
    ("more", "mounts", "says"),
    [
        ("ports: ['80:80']", MOUNT, "80 of it is published"),
        ("ports: ['80:8080']", MOUNT, ""),
        ("expose: ['80']", MOUNT, ""),
        ("ports: ['80:80']", f"{MOUNT}, 'x:/etc/nginx/more'", ""),
    ],
)
def test_a_public_image(tmp_path: Path, more: str, mounts: str, says: str) -> None:
    compose = f"services:\n  proxy: {{image: nginx, {more}, volumes: [{mounts}]}}\n"
    found = critical(judge_files(tmp_path, {"compose.yaml": compose, "a.conf": OTHER}))
    messages = [each.message for each in found if each.check == "nginx.ports"]
    assert [says in each for each in messages] == ([True] if says else [])
