"""nginx: the ports that it listens at, and the certificates that it is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.checks.serving import listening
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


MOUNT = "./a.conf:/etc/nginx/conf.d/default.conf"


def told(folder: Path, config: str, more: str = "ports: ['80:80']", mounts: str = f"'{MOUNT}'") -> list[str]:
    compose = f"services:\n  proxy: {{image: nginx, {more}, volumes: [{mounts}]}}\n"
    found = critical(judge_files(folder, {"compose.yaml": compose, "a.conf": config, "certs/x.crt": ""}))
    return [each.message for each in found if each.check in ("nginx.ports", "nginx.files")]


SECURE = "server {\n listen 80 ssl;\n ssl_certificate /certs/x.crt;\n}\n"


@pytest.mark.parametrize(
    ("config", "more", "mounts", "says"),
    [
        ("server {\n listen 8080;\n}\n", "ports: ['80:80']", f"'{MOUNT}'", "80 of it is published"),
        ("server {\n listen 8080;\n}\n", "ports: ['80:8080']", f"'{MOUNT}'", ""),
        ("server {\n listen 8080;\n}\n", "expose: ['80']", f"'{MOUNT}'", ""),
        ("server {\n listen 8080;\n}\n", "ports: ['80:80']", f"'{MOUNT}', 'x:/etc/nginx/more'", ""),
        (SECURE, "ports: ['80:80']", f"'{MOUNT}'", "/certs/x.crt"),
        (SECURE, "ports: ['80:80']", f"'{MOUNT}', './certs:/certs'", ""),
        (SECURE.replace("/certs/", "/etc/letsencrypt/"), "ports: ['80:80']", f"'{MOUNT}'", ""),
        (SECURE.replace("/certs/", "$certs/"), "ports: ['80:80']", f"'{MOUNT}'", ""),
    ],
)
def test_a_public_image(tmp_path: Path, config: str, more: str, mounts: str, says: str) -> None:
    assert [says in each for each in told(tmp_path, config, more, mounts)] == ([True] if says else [])
