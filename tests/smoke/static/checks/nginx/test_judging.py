"""Images of nginx are judged with Compose and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import judge_files

DOCKERFILE = "FROM nginx:1.27-alpine\nCOPY site.conf /etc/nginx/conf.d/\n"
CONF = "server {\n  listen 80\n  location / { return 204; }\n}\n"
COMPOSE = "services:\n  front:\n    build: .\n    ports: ['80:80']\n"


@pytest.mark.parametrize("compose", ["", COMPOSE])
def test_a_configuration_that_cannot_be_read_is_told_once(tmp_path: Path, compose: str) -> None:
    files = {"Dockerfile": DOCKERFILE, "site.conf": CONF} | ({"compose.yaml": compose} if compose else {})
    told = [each for each in judge_files(tmp_path, files).findings if each.check == "nginx.grammar"]
    assert len(told) == 1 and told[0].evidence[0].path == "site.conf"
