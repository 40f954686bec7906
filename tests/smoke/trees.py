"""A small tree that is all right, and how tests change it."""

from __future__ import annotations

from pathlib import Path

from smoke.finding import Finding, Verdict
from smoke.judgment import Judgment
from smoke.static.treejudge import judge
from smoke.subject import find_subject

DOCKERFILE = """\
ARG VERSION=1
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt .
RUN pip install --no-cache-dir --target /deps -r requirements.txt

FROM --platform=linux/arm64 gcr.io/distroless/python3-debian12:nonroot
ARG VERSION
LABEL org.opencontainers.image.version="${VERSION}"
WORKDIR /app
COPY --from=build /deps /deps
COPY service/ service/
ENV PYTHONPATH=/deps
USER 65532:65532
EXPOSE 8084
HEALTHCHECK CMD ["/usr/bin/python3.11", "-m", "service.probe", "http://127.0.0.1:8084/health"]
CMD ["-m", "service.main"]
"""
MAIN = """\
import uvicorn
from fastapi import FastAPI

from service.engine import Engine

app = FastAPI()
engine = Engine()

if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8084)
"""
COMPOSE = """\
services:
  engine:
    image: example/engine:1
    build:
      context: .
      dockerfile: Dockerfile.engine
    ports: ["8084:8084"]
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 256m
    networks: [inner]
    healthcheck:
      test: ["CMD", "/usr/bin/python3.11", "-m", "service.probe"]
    depends_on:
      database:
        condition: service_healthy
  database:
    image: mongo:7
    healthcheck:
      test: ["CMD", "mongosh"]
networks:
  inner:
    internal: true
"""
MANIFEST = """\
title = "corpus"
profile = "step12"

[[service]]
name = "engine"
dockerfile = "Dockerfile.engine"
image = "example/engine:1"
port = 8084
module = "service.main"
directories = ["service"]
labels = ["org.opencontainers.image.version"]
"""
GOOD: dict[str, str | None] = {
    "Dockerfile.engine": DOCKERFILE,
    "requirements.txt": "fastapi==0.104.0\nuvicorn==0.24.0\n",
    "service/__init__.py": "",
    "service/main.py": MAIN,
    "service/engine.py": "class Engine:\n    pass\n",
    "service/probe.py": "print('up')\n",
    "compose.yaml": COMPOSE,
    "smoke.toml": MANIFEST,
}
Changes = dict[str, str | None]
"""Files that differ from the good tree; None takes one away."""


def write_tree(folder: Path, changes: Changes) -> Path:
    """Write the good tree, changed, into a folder."""
    for path, text in {**GOOD, **changes}.items():
        if text is not None:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return folder


def judged(folder: Path, changes: Changes | None = None, *, strict: bool = False, literal: bool = False) -> Judgment:
    """What comes out of the changed tree."""
    return judge(find_subject(write_tree(folder, changes or {}), None), strict=strict, literal=literal)


def failures(judgment: Judgment) -> list[Finding]:
    """What failed, information left out."""
    return [each for each in judgment.findings if each.verdict is Verdict.FAIL and each.severity != "info"]


def replaced(text: str, old: str, new: str) -> str:
    """A text with one thing replaced, which must be in it."""
    assert old in text, f"{old!r} is not in the text: the planted defect would be none"
    return text.replace(old, new)
