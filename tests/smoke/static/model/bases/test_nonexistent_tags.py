"""Tags of Python's images that never were."""

from __future__ import annotations

import pytest

from smoke.static.model.bases.nonexistent_tags import never_was


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("python:3.13-slim-buster", "Debian's buster"),
        ("docker.io/library/python:3.8-trixie", "Debian's trixie"),
        ("python:3.12-slimm", "slim is one"),
        ("python:3.12-slim-bookwrom", "bookworm is one"),
        ("python:3.21", "there is no Python 3.21"),
        ("python:4-slim", "there is no Python 4"),
    ],
)
def test_what_never_was(reference: str, says: str) -> None:
    assert says in never_was(reference)


@pytest.mark.parametrize(
    "reference",
    [
        *[
            "python",
            "python:3",
            "python:slim",
            "python:3.12.4-slim-bookworm",
            "python:3.13-alpine3.20",
            "python:3.9-buster",
        ],
        *["python:3.14-rc-slim", "python:3.13.0rc2-slim-bullseye", "python:2.7-slim", "python:3-slim-trixie"],
        *[
            "shop/python:3.12-slimm",
            "debian:slimm",
            "python:3.12-slimm@sha256:" + "a" * 64,
            "python:3.12-windowsservercore",
        ],
    ],
)
def test_what_may_be(reference: str) -> None:
    assert never_was(reference) == ""
