"""Databases and brokers that services are told of: whether their names, networks and ports lead to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, outcomes

APP = 'FROM python:3.12-slim\nRUN pip install redis sqlalchemy\nCOPY main.py /\nCMD ["python", "/main.py"]\n'
LOOP = "import time\n\nwhile True:\n    time.sleep(1)\n"
DB = "  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: x}%s}\n"


def tree(web: str, other: str = DB % "", rest: str = "", main: str = LOOP, **more: str) -> Changes:
    compose = f"services:\n  web: {{build: ., {web}}}\n{other}{rest}"
    return {"Dockerfile": APP, "main.py": main, "compose.yaml": compose, **more}


def url(host: str) -> str:
    return f"environment: {{DATABASE_URL: 'postgres://x@{host}/x'}}"


CASES = [
    (tree(url("db")), "passed", "1 addresses"),
    (tree(url("db:5432")), "passed", ""),
    (tree(url("postgres")), "critical", "there is no service postgres, but db"),
    (tree(url("shop"), ""), "warning", "there is no service shop"),
    (tree(url("db"), ""), "critical", "there is no service db"),
    (tree(url("localhost")), "critical", "the container itself"),
    (tree(url("db:5433"), DB % ", ports: ['5433:5432']"), "critical", "within the network db listens at 5432"),
    (tree(url("store"), DB % ", container_name: store"), "passed", ""),
    (tree(url("store"), DB % ", networks: {default: {aliases: [store]}}"), "passed", ""),
    (tree(url("store") + ", links: ['db:store']"), "passed", ""),
    (tree(url("store") + ", extra_hosts: ['store:10.0.0.1']"), "passed", ""),
    (tree(url("db") + ", networks: [a]", DB % ", networks: [b]", "networks: {a: , b: }\n"), "critical", "no network"),
    (tree("environment: {DB_HOST: store}", DB % ""), "critical", "DB_HOST leads to store"),
]


@pytest.mark.parametrize(("files", "outcome", "words"), CASES)
def test_what_the_environment_says(tmp_path: Path, files: Changes, outcome: str, words: str) -> None:
    found = outcomes(tmp_path, files, "compose.hosts")
    assert [(kind, words in message) for kind, message in found] == [(outcome, True)]


@pytest.mark.parametrize(
    "files",
    [
        tree(url("store") + ", networks: [out]", "", "networks: {out: {external: true}}\n"),
        tree(url("store") + ", network_mode: host", ""),
        tree(url("postgres"), **{"README.md": "docker run --name postgres postgres\n"}),
        tree(url("postgres"), **{"compose.more.yaml": "services:\n  postgres:\n    image: postgres\n"}),
        tree(url("localhost"), rest="  side: {image: 'shop/tunnel', network_mode: 'service:web'}\n"),
        tree(url("$HOST")),
    ],
)
def test_what_may_be_elsewhere(tmp_path: Path, files: Changes) -> None:
    assert all(kind not in ("critical", "warning") for kind, _ in outcomes(tmp_path, files, "compose.hosts"))


CODE = "import os\nimport redis\n\nstore = redis.Redis(host=os.getenv('CACHE', 'localhost'))\n" + LOOP
REDIS = "  cache: {image: 'redis:7'}\n"


@pytest.mark.parametrize(
    ("web", "other", "main", "outcome"),
    [
        ("environment: {OTHER: x}", REDIS, CODE, "critical"),
        ("environment: {CACHE: cache}", REDIS, CODE, ""),
        ("environment: {OTHER: x}", "", CODE, ""),
        (
            "environment: {OTHER: x}",
            REDIS,
            CODE.replace("import os", "from dotenv import load_dotenv\nload_dotenv()"),
            "",
        ),
        ("environment: {OTHER: x}", REDIS, CODE.replace("localhost", "store"), "critical"),
        ("environment: {OTHER: x}", "", CODE.replace("localhost", "store"), "warning"),
    ],
)
def test_what_the_code_says(tmp_path: Path, web: str, other: str, main: str, outcome: str) -> None:
    found = outcomes(tmp_path, tree(web, other, main=main), "compose.hosts")
    assert [kind for kind, _ in found if kind in ("critical", "warning")] == ([outcome] if outcome else [])
