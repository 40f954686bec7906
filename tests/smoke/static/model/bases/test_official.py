"""Docker's official images: by way of mirrors, their kinds, what they start."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.official import official

MIRRORS = [
    "",
    "library/",
    "docker.io/library/",
    "mirror.gcr.io/library/",
    "public.ecr.aws/docker/library/",
    "harbor.example.org:5000/library/",
    "harbor.example.org/dockerhub/",
    "harbor.example.org/x/docker.io/",
]


@pytest.mark.parametrize("mirror", MIRRORS)
def test_an_image_is_the_same_by_way_of_a_mirror(mirror: str) -> None:
    base = official(f"{mirror}python:3.12-slim")
    assert base is not None and (base.python, base.system, base.libc) == ("3.12", "debian", "glibc")


@pytest.mark.parametrize("name", ["example/python:3.12", "harbor.example.org/team/python:3.12", "python3:3.12"])
def test_an_image_of_someone_else_is_not_dockers(name: str) -> None:
    assert official(name) is None


@pytest.mark.parametrize(
    ("tag", "python", "libc"),
    [
        ("3.12", "3.12", "glibc"),
        ("3.12.4-slim-bookworm", "3.12", "glibc"),
        ("3.14.0rc2-alpine", "3.14", "musl"),
        ("3-slim", None, "glibc"),
        ("latest", None, "glibc"),
        ("slim", None, "glibc"),
        ("alpine", None, "musl"),
    ],
)
def test_the_tag_says_the_version_and_the_c_library(tag: str, python: str | None, libc: str) -> None:
    base = official(f"python:{tag}")
    assert base is not None and (base.python, base.libc) == (python, libc)
    assert base.command == ("python3",)
    assert base.sites == ((f"/usr/local/lib/python{python}/site-packages",) if python else ())


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("python:3.12", "curl", "psql"),
        ("python:3.12-slim", "bash", "curl"),
        ("python:3.12-alpine", "wget", "bash"),
        ("debian:12", "apt-get", "python3"),
        ("alpine:3.20", "apk", "python3"),
        ("busybox", "wget", "apk"),
        ("nginx", "nginx", "python3"),
        ("node:20-slim", "npm", "git"),
        ("node:20", "git", "psql"),
        ("buildpack-deps", "gcc", "node"),
    ],
)
def test_programs_that_an_image_has_and_lacks(name: str, has: str, lacks: str) -> None:
    base = official(name)
    assert base is not None
    assert has in {each.rpartition("/")[2] for each in base.executables}
    assert lacks in base.lacks


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("nginx", ("/docker-entrypoint.sh", "nginx", "-g", "daemon off;")),
        ("node:20", ("docker-entrypoint.sh", "node")),
        ("debian:12", ("/bin/bash",)),
        ("alpine:3.20", ("/bin/sh",)),
    ],
)
def test_what_an_image_starts_itself(name: str, start: tuple[str, ...]) -> None:
    base = official(name)
    assert base is not None and (*base.entrypoint, *base.command) == start
