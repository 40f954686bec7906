"""The rules of `docker build --check`: each says what BuildKit says, at the line where it says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Severity
from smoke.static.checks import lint
from tests.smoke.cases import judge_files

START = 'COPY a.py /\nCMD ["python", "/a.py"]\n'
ON = "FROM python:3.12-slim\n"
TOLD = [
    ("stage-name-casing", "FROM python:3.12-slim AS Run\n" + START, 1),
    ("from-as-casing", "FROM python:3.12-slim as run\n" + START, 1),
    ("no-empty-continuation", ON + "RUN true && \\\n\n  true\n" + START, 2),
    ("consistent-instruction-casing", ON + "workdir /w\n" + START, 2),
    ("duplicate-stage-name", "FROM alpine AS a\nFROM python:3.12-slim AS a\n" + START, 2),
    ("reserved-stage-name", "FROM python:3.12-slim AS scratch\n" + START, 1),
    ("json-args-recommended", ON + "COPY a.py /\nCMD python /a.py\n", 3),
    ("maintainer-deprecated", ON + "MAINTAINER me\n" + START, 2),
    ("undefined-arg-in-from", "FROM python:3.12-slim${X}\n" + START, 1),
    ("workdir-relative-path", ON + "WORKDIR w\nCOPY a.py .\nCMD python a.py\n", 2),
    ("undefined-var", ON + "LABEL v=$VERSION\n" + START, 2),
    ("undefined-var", "ARG V=1\n" + ON + "LABEL v=${V}\n" + START, 3),
    ("multiple-instructions-disallowed", ON + 'CMD ["x"]\n' + START, 2),
    ("legacy-key-value-format", ON + "ENV A b c\n" + START, 2),
    ("redundant-target-platform", "FROM --platform=$TARGETPLATFORM python:3.12-slim\n" + START, 1),
    ("from-platform-flag-const-disallowed", "FROM --platform=linux/amd64 python:3.12-slim\n" + START, 1),
    ("secrets-used-in-arg-or-env", ON + "ARG GITHUB_TOKEN\n" + START, 2),
    ("secrets-used-in-arg-or-env", ON + "ENV DB_PASSWORD=x\n" + START, 2),
    ("invalid-default-arg-in-from", "ARG BASE\nFROM $BASE\n" + START, 2),
    ("expose-proto-casing", ON + "EXPOSE 80/TCP\n" + START, 2),
    ("expose-invalid-format", ON + "EXPOSE 127.0.0.1:80:80\n" + START, 2),
    ("copy-ignored-file", ON + "COPY b.txt /\n" + START, 2),
    ("undefined-arg-in-from", "FROM --platform=$OF_NOBODY python:3.12-slim\n" + START, 1),
    ("maintainer-deprecated", "# check=skip=maintainerdeprecated\n" + ON + "MAINTAINER me\n" + START, 3),
    ("maintainer-deprecated", ON + "# check=skip=all\nWORKDIR /x\nMAINTAINER me\n" + START, 4),
    (
        "invalid-definition-description",
        "# check=experimental=all\n" + "# other words\n" + ON.strip() + " AS run\n" + START,
        3,
    ),
    ("invalid-base-image-platform", "FROM amd64/python:3.12-slim\n" + START, 1),
]
QUIET = [
    ON + "ARG PUBLIC_KEY=a\nENV MONKEY=b API_KEY=/run/secrets/api\nLABEL v=${X:-1} w=$PYTHON_VERSION\n" + START,
    "# check=skip=all\n" + ON + "MAINTAINER me\n" + START,
    "# check=skip=MaintainerDeprecated,JSONArgsRecommended\n" + ON + "MAINTAINER me\nCOPY a.py /\nCMD python /a.py\n",
    "FROM --platform=$BUILDPLATFORM python:3.12-slim AS b\nFROM b\nWORKDIR /x\nWORKDIR y\n" + START,
    "FROM --platform=linux/amd64 python:3.12-slim AS run-amd64\n" + START,
    "FROM example.org/base:1\nLABEL v=$OF_THE_BASE\nRUN echo $HOME\n" + START,
    "# how this is built\n" + ON + START,
    ON + "# check=skip=MaintainerDeprecated // for the old registry\nMAINTAINER me\n" + START,
    ON + "# check=skip=all\nMAINTAINER me\n" + START,
    ON + 'SHELL ["/bin/bash", "-c"]\nCOPY a.py /\nCMD python /a.py\n',
    ON.strip() + ' AS b\nSHELL ["/bin/bash", "-c"]\nFROM b\nCOPY a.py /\nCMD python /a.py\n',
    ON + "ENV PASSWORD_FILE=x AUTH_MODULE_VERSION=1\n" + START,
]


def told(folder: Path, dockerfile: str) -> dict[str, set[int]]:
    manifest = '[[service]]\nname = "a"\ndockerfile = "Dockerfile"\nplatform = "linux/arm64"\n'
    files = {"Dockerfile": dockerfile, "a.py": "while True: pass\n", "b.txt": "", ".dockerignore": "b.txt\n"}
    if "amd64/python" in dockerfile:
        files["smoke.toml"] = manifest
    found: dict[str, set[int]] = {}
    for each in judge_files(folder, files).findings:
        if each.check.startswith("dockerfile.lint."):
            assert each.severity is not Severity.CRITICAL
            found.setdefault(each.check.removeprefix("dockerfile.lint."), set()).add(each.evidence[0].line)
    return found


@pytest.mark.parametrize(("rule", "dockerfile", "line"), TOLD, ids=[f"{each[0]}-{n}" for n, each in enumerate(TOLD)])
def test_a_rule_is_told_at_its_line(tmp_path: Path, rule: str, dockerfile: str, line: int) -> None:
    assert told(tmp_path, dockerfile).get(rule) == {line}


@pytest.mark.parametrize("dockerfile", QUIET)
def test_what_keeps_the_rules_is_not_told(tmp_path: Path, dockerfile: str) -> None:
    assert told(tmp_path, dockerfile) == {}


def test_a_whole_context_that_is_left_out_is_told(tmp_path: Path) -> None:
    for number, (patterns, wanted) in enumerate(
        (("*\n", True), ("**/*", True), (".*\n", False), ("*\n!a.py\n", False))
    ):
        files = {"Dockerfile": ON + 'COPY . /\nCMD ["python", "/a.py"]\n', "a.py": "", ".dockerignore": patterns}
        told = {each.check for each in judge_files(tmp_path / str(number), files).findings}
        assert ("dockerfile.lint.copy-ignored-file" in told) is wanted, patterns


def test_every_rule_of_buildkit_is_there_and_tried() -> None:
    assert len(lint.CHECKS) == 22
    assert {check.id.removeprefix("dockerfile.lint.") for check in lint.CHECKS} == {each[0] for each in TOLD}
