"""nginx: where it stops reading a configuration, in its own images and in public ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.checks.nginx.grammar import fault_in
from tests.smoke.cases import says

SITE = "server {\n  listen 80;\n  location / { root /srv; }\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        SITE,
        "",
        "# } nothing\nevents {}\n",
        "log_format main '$remote_addr \"{\" ;';\n",
        "server { location ~ \\.(?:js|css)$ { expires 1d; } } # {",
        'server { location ~ "^/a{2}$" { return 204; } }',
        "server { listen ${PORT}; return 301 https://$host#top; }",
        "map $http_upgrade $connection { default upgrade; '' close; }",
        "server { content_by_lua_block { ngx.say('}') } }",
        "server { root {{ directory }} }",
    ],
)
def test_what_nginx_reads(text: str) -> None:
    assert fault_in(text) == (0, "")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("server {\n  location / { root /srv }\n}\n", 2, 'does not end with ";"'),
        ("server {\n  listen 80\n}\n", 3, 'does not end with ";"'),
        ("server {\n  listen 80;\n", 1, "not closed"),
        ("server {\n}\n}\n", 3, "no block is open"),
        ("listen 80;;\n", 1, 'unexpected ";"'),
        ("server {\n}\n{\n}\n", 3, 'unexpected "{"'),
        ("server {\n}\nworker_processes 1\n", 4, "the last directive"),
    ],
)
def test_where_it_stops(text: str, line: int, why: str) -> None:
    found, said = fault_in(text)
    assert found == line and why in said


BROKEN = SITE.replace("/srv;", "/srv")


@pytest.mark.parametrize(("text", "outcome"), [(SITE, "passed"), (BROKEN, "critical")])
def test_in_an_image_and_under_a_mount(tmp_path: Path, text: str, outcome: str) -> None:
    files = {"Dockerfile": "FROM nginx:1.27\nCOPY site.conf /etc/nginx/conf.d/\n", "site.conf": text}
    assert says(tmp_path / "image", files, "nginx.grammar", outcome, "site.conf")
    compose = "services:\n  web:\n    image: nginx:1.27\n    volumes: ['./site.conf:/etc/nginx/conf.d/site.conf']\n"
    mounted = {"compose.yaml": compose, "site.conf": text}
    assert says(tmp_path / "mount", mounted, "nginx.grammar", outcome, "site.conf")


def test_what_a_step_changes_is_not_judged(tmp_path: Path) -> None:
    steps = "FROM nginx:1.27\nCOPY site.conf /etc/nginx/conf.d/\nRUN sed -i 's/srv/srv;/' /etc/nginx/conf.d/site.conf\n"
    with pytest.raises(AssertionError, match="says nothing"):
        says(tmp_path, {"Dockerfile": steps, "site.conf": BROKEN}, "nginx.grammar", "passed", "")
