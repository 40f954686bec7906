"""A project whose nginx passes requests on to a service, and what is said of it."""

from __future__ import annotations

from pathlib import Path

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
    """What the checks of nginx find critical."""
    files = {**API, "compose.yaml": compose, "proxy/Dockerfile": proxy, "proxy/site.conf": config}
    return [each.message for each in critical(judge_files(folder, files)) if each.check.startswith("nginx.")]
