"""The C library that an image's reference tells of."""

from __future__ import annotations

import pytest

from smoke.static.model.libc import libc_of


@pytest.mark.parametrize(
    ("reference", "libc"),
    [
        ("python:3.12-slim", "glibc"),
        ("python:3.12-alpine", "musl"),
        ("docker.io/library/python:3.12", "glibc"),
        ("public.ecr.aws/docker/library/alpine:3.20", "musl"),
        ("gcr.io/distroless/python3-debian12:nonroot", "glibc"),
        ("busybox", "musl"),
        ("busybox:1-glibc", "musl"),
        ("example.com/team/tool:1-bookworm", "glibc"),
        ("example.com/team/python-tool:1", "glibc"),
        ("example.com/team/tool:1", ""),
        ("scratch", ""),
    ],
)
def test_a_reference_tells_the_library_or_nothing(reference: str, libc: str) -> None:
    assert libc_of(reference) == libc
