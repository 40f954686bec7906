"""What an image's tag says of its distribution."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.tags import RECENT, release_of, release_python


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("debian:12-slim", "bookworm"),
        ("debian:bookworm-20250101", "bookworm"),
        ("python:3.12-slim-trixie", "trixie"),
        ("ubuntu:24.04", "noble"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "jammy"),
        ("python:3.12-slim", RECENT),
        ("docker.io/library/python:latest", RECENT),
        ("python:3.12.1-slim", ""),
        ("python:3.8", ""),
        ("python:3.12-alpine3.20", ""),
        ("example/app:12", ""),
    ],
)
def test_a_release_is_named_by_the_tag(reference: str, release: str) -> None:
    assert release_of(reference) == release


@pytest.mark.parametrize(
    ("reference", "python"),
    [
        ("debian:12", "3.11"),
        ("debian:bookworm-slim", "3.11"),
        ("debian:12@sha256:" + "0" * 64, "3.11"),
        ("ubuntu:22.04", "3.10"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "3.10"),
        ("alpine:3.20", "3.12"),
        ("alpine:3.200", ""),
        ("node:20-bookworm", "3.11"),
        ("debian", ""),
        ("example/own:1", ""),
    ],
)
def test_the_python_of_a_release_is_that_of_its_own_package(reference: str, python: str) -> None:
    """A tag that floats says nothing: a guess would be wrong after the next release."""
    assert release_python(reference) == python
