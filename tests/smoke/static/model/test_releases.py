"""Packages by release."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.tags import release_of
from smoke.static.model.releases import lacks_package


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("debian:12-slim", "bookworm"),
        ("debian:bookworm-20250101", "bookworm"),
        ("python:3.12-slim-trixie", "trixie"),
        ("ubuntu:24.04", "noble"),
        ("nvidia/cuda:12.4.1-runtime-ubuntu22.04", "jammy"),
        ("python:3.12-slim", ""),
        ("python:3.12-alpine3.20", ""),
        ("example/app:12", ""),
    ],
)
def test_a_release_is_named_by_the_tag(reference: str, release: str) -> None:
    assert release_of(reference) == release


def test_what_a_release_lacks_is_told_with_what_to_take() -> None:
    assert "netcat-openbsd" in lacks_package("bookworm", "netcat")
    assert "3.11" in lacks_package("bookworm", "python3.12-venv")
    assert lacks_package("jammy", "python3.11") == ""
    assert lacks_package("bullseye", "netcat") == ""
    assert lacks_package("", "netcat") == ""
    assert lacks_package("bookworm", "postgresql-client-16=16.1-1")
