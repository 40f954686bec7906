"""nginx: hosts that it looks up as it starts, and what its user may write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files

API = {
    "api/Dockerfile": 'FROM python:3.12-slim\nCOPY main.py .\nCMD ["python", "main.py"]\n',
    "api/main.py": "while 1: 1\n",
}
COMPOSE = """\
services:
  api:
    build: api
  proxy:
    build: proxy
    ports: ["80:80"]
"""
PROXY = "FROM nginx:1.27-alpine\nCOPY site.conf /etc/nginx/conf.d/default.conf\n"


def messages(folder: Path, config: str, compose: str = COMPOSE, proxy: str = PROXY) -> list[str]:
    files = {**API, "compose.yaml": compose, "proxy/Dockerfile": proxy, "proxy/site.conf": config}
    return [each.message for each in critical(judge_files(folder, files)) if each.check.startswith("nginx.")]


@pytest.mark.parametrize(
    "config",
    [
        "server { location / { proxy_pass http://backend:8000; } }",
        "upstream app {\n  server backend:8000;\n}\nserver { location / { proxy_pass http://app; } }",
        "server { location / { uwsgi_pass backend:3031; } }",
        "server { location / { grpc_pass grpc://backend; } }",
    ],
)
def test_a_host_that_no_service_has(tmp_path: Path, config: str) -> None:
    assert any("passes to backend" in each and "there are api" in each for each in messages(tmp_path, config))


@pytest.mark.parametrize(
    "config",
    [
        "server { location / { proxy_pass http://api:8000; } }",
        "server { location / { proxy_pass http://localhost:8000; } }",
        "server { location / { proxy_pass http://unix:/run/x.sock; } }",
        "server { location / { proxy_pass http://$backend; } }",
        "server { location / { proxy_pass https://backend.example.org; } }",
        "upstream app {\n  server backend:8000 resolve;\n}\nserver { location / { proxy_pass http://app; } }",
        "# proxy_pass http://backend;\nserver { listen 80; }",
    ],
)
def test_what_can_be_looked_up(tmp_path: Path, config: str) -> None:
    assert messages(tmp_path, config) == []


@pytest.mark.parametrize(
    "more",
    [
        "    extra_hosts: ['backend:10.0.0.1']\n",
        "networks:\n  default:\n    external: true\n",
        "  backend:\n    image: example/backend:1\n",
        "    network_mode: host\n",
    ],
)
def test_names_that_come_from_elsewhere(tmp_path: Path, more: str) -> None:
    compose = (
        COMPOSE + more if not more.startswith("    network_mode") else COMPOSE.replace('    ports: ["80:80"]\n', more)
    )
    assert messages(tmp_path, "server { location / { proxy_pass http://backend; } }", compose) == []


def test_its_own_user_may_not_write(tmp_path: Path) -> None:
    assert any("may not write" in each for each in messages(tmp_path, "server {}", proxy=PROXY + "USER nginx\n"))


@pytest.mark.parametrize(
    "proxy",
    [
        PROXY,
        PROXY + "RUN chown -R nginx /var/cache/nginx\nUSER nginx\n",
        PROXY + "RUN sed -i 's,/run/nginx.pid,/tmp/x,' /etc/nginx/nginx.conf\nUSER nginx\n",
        PROXY + "COPY site.conf /etc/nginx/nginx.conf\nUSER nginx\n",
        PROXY.replace("nginx:1.27-alpine", "nginxinc/nginx-unprivileged:1.27") + "USER 101\n",
    ],
)
def test_what_may_be_writable_is_left_alone(tmp_path: Path, proxy: str) -> None:
    assert messages(tmp_path, "server {}", proxy=proxy) == []
