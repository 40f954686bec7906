"""Every service of every project goes before every check."""

from __future__ import annotations

from pathlib import Path

from smoke.static.checks.compose.rules import CHECKS
from tests.smoke.cases import judge_files

SERVICE = """\
services:
  web:
    build: .
    ports: ["8000:8000"]
    environment: {A: b}
    depends_on: [db]
    networks: [inner]
  db:
    image: postgres:16
networks:
  inner: {}
"""
FILES = {
    "Dockerfile": 'FROM python:3.12-slim\nCOPY a.py /\nEXPOSE 8000\nCMD ["python", "/a.py"]\n',
    "a.py": "while True: pass\n",
    "one/compose.yaml": SERVICE.replace("build: .", "build: .."),
    "two/compose.yaml": SERVICE.replace("build: .", "build: .."),
}


def test_each_check_says_something_of_each_service_that_is_built(tmp_path: Path) -> None:
    findings = judge_files(tmp_path, FILES).findings
    files = {each.evidence[0].path for each in findings if each.check == "compose.hardening" and each.evidence}
    assert files == {"one/compose.yaml", "two/compose.yaml"}
    assert {each.check for each in findings if each.check.startswith("compose.")} <= {check.id for check in CHECKS}
