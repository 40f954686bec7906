"""RUN, in each of its forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files

FILES = {"setup/make.sh": "touch /made\n", "requirements.txt": "flask\n"}


def after(folder: Path, text: str, base: str = "python:3.12-slim") -> Image:
    """The image of a Dockerfile with these lines behind its FROM."""
    tree = Tree(write_files(folder, {**FILES, "Dockerfile": f"FROM {base}\n{text}\n"}))
    [image] = images(tree, Manifest())
    assert not image.broken
    return image


@pytest.mark.parametrize(
    "text",
    [
        "RUN touch /made",
        'RUN ["touch", "/made"]',
        "RUN <<END\ntouch /made\nEND",
        "RUN <<END\n#!/bin/bash\ntouch /made\nEND",
        "RUN <<END\n#!/usr/bin/env sh\ntouch /made\nEND",
        "RUN <<-END\n\ttouch /made\n\tEND",
        "RUN sh <<END\ntouch /made\nEND\nRUN touch /made",
        'SHELL ["/bin/bash", "-c"]\nRUN touch /made',
        'SHELL ["/bin/bash", "-euo", "pipefail", "-c"]\nRUN touch /made',
    ],
)
def test_each_form_is_followed(tmp_path: Path, text: str) -> None:
    image = after(tmp_path, text)
    assert image.files.find("/made") is not None and not image.failures


def test_no_shell_reads_an_exec_form(tmp_path: Path) -> None:
    image = after(tmp_path, 'ENV D=/d\nRUN ["mkdir", "$D"]')
    assert image.files.find("/d") is None


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("RUN <<END\ncurl e.org\ntrue\nEND", False),
        ('SHELL ["/bin/sh", "-e", "-c"]\nRUN <<END\ncurl e.org\ntrue\nEND', True),
        ("RUN <<END\nset -e\ncurl e.org\ntrue\nEND", True),
        ("RUN <<END\ntrue\ncurl e.org\nEND", True),
        ('RUN ["curl", "e.org"]', True),
    ],
)
def test_a_here_document_goes_on_after_a_failure_unless_it_is_told_not_to(
    tmp_path: Path, text: str, stops: bool
) -> None:
    assert bool(after(tmp_path, text).failures) is stops


def test_a_script_for_another_interpreter_is_in_doubt(tmp_path: Path) -> None:
    image = after(tmp_path, "WORKDIR /srv\nRUN <<END\n#!/usr/bin/env python3\nopen('made', 'w')\nEND")
    assert image.files.find("/srv/made") is None and image.files.doubt("/srv/made") and not image.failures


def test_without_a_shell_only_an_exec_form_runs(tmp_path: Path) -> None:
    base = "gcr.io/distroless/python3-debian12"
    [failure] = after(tmp_path, "RUN true", base).failures
    assert "/bin/sh" in failure.message and failure.line == 2
    assert not after(tmp_path, 'RUN ["python3.11", "-V"]', base).failures


def test_files_that_it_mounts_are_there_while_it_runs_only(tmp_path: Path) -> None:
    mount = "--mount=type=bind,source=requirements.txt,target=/tmp/r.txt"
    image = after(tmp_path, f"RUN {mount} pip install -r /tmp/r.txt")
    assert image.installs[0].requirements == ("requirements.txt",) and not image.installs[0].doubt
    assert image.files.find("/tmp/r.txt") is None
    folder = after(tmp_path, "RUN --mount=type=bind,source=setup,target=/setup cp /setup/make.sh /kept.sh")
    assert folder.files.find("/kept.sh") is not None and folder.files.find("/setup/make.sh") is None


@pytest.mark.parametrize(
    "mount",
    [
        "type=cache,target=/cache",
        "type=secret,id=key,target=/cache/key",
        "from=other:1,target=/cache",
        "type=tmpfs,target=/cache",
    ],
)
def test_what_else_is_mounted_is_in_doubt_while_it_runs_only(tmp_path: Path, mount: str) -> None:
    """`cp` of what nobody knows cannot fail for sure; afterwards the directory is as before."""
    image = after(tmp_path, f"RUN mkdir /cache\nRUN --mount={mount} cp /cache/key /kept")
    assert not image.failures and not image.files.doubt("/cache/key")
    assert after(tmp_path, "RUN mkdir /cache\nRUN cp /cache/key /kept").failures


def test_a_secret_without_a_target_lies_below_run(tmp_path: Path) -> None:
    for options in ("id=key", "source=/home/key"):
        assert not after(tmp_path, f"RUN --mount=type=secret,{options} cp /run/secrets/key /kept").failures
    assert after(tmp_path, "RUN mkdir -p /run/secrets && cp /run/secrets/key /kept").failures


CACHED = "RUN --mount=type=cache,target=/deps pip install --target /deps bottle"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (CACHED, 0),
        (f"{CACHED}\nRUN --mount=type=cache,target=/deps cp -r /deps /own", 1),
        (CACHED.replace("target=/deps", "target=/root/.cache"), 1),
        (CACHED.replace("type=cache", "type=tmpfs"), 0),
        ("RUN --mount=type=cache,target=/srv/.venv python -m venv /srv/.venv && /srv/.venv/bin/pip install bottle", 0),
    ],
)
def test_what_is_installed_into_a_cache_is_lost(tmp_path: Path, text: str, count: int) -> None:
    image = after(tmp_path, text)
    assert (len(image.installs), len(image.venvs)) == (count, 0)
