"""Which files nginx reads: those below /etc/nginx, of its own images or mounted into a public one."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.checks.nginx.configurations import IMAGE
from tests.smoke.static.checks.nginx.proxied import COMPOSE, messages

CONFIG = "server { location / { proxy_pass http://backend:8000; } }"


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        ("nginx", True),
        ("docker.io/library/nginx:1.27-alpine", True),
        ("host:5000/nginx@sha256:" + "a" * 64, True),
        ("nginxinc/nginx-unprivileged:1.27", False),
        ("shop/nginx-proxy", False),
    ],
)
def test_images(reference: str, own: bool) -> None:
    assert (IMAGE.fullmatch(reference) is not None) == own


@pytest.mark.parametrize("mount", ["./proxy/site.conf:/etc/nginx/conf.d/site.conf", "./proxy:/etc/nginx/conf.d"])
def test_what_is_mounted_into_a_public_image_is_read(tmp_path: Path, mount: str) -> None:
    compose = COMPOSE.replace("build: proxy", f"image: nginx\n    volumes: ['{mount}']")
    assert any("passes to backend" in each for each in messages(tmp_path, CONFIG, compose))


def test_what_lies_elsewhere_is_not_read(tmp_path: Path) -> None:
    proxy = "FROM nginx:1.27-alpine\nCOPY site.conf /srv/site.conf\n"
    assert messages(tmp_path, CONFIG, proxy=proxy) == []
