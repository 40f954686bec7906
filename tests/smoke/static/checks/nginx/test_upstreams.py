"""Hosts that nginx looks up as it starts are services, or may come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.checks.nginx.proxied import COMPOSE, messages


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
