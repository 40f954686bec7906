"""Which base images are known: the manifest's first, then the catalog's; nothing is assumed of any other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.manifest import Base
from smoke.static.model.bases.catalog import find_base, is_slim


@pytest.mark.parametrize(
    "reference",
    [
        "example/python:3.12",
        "python-own:3.12",
        "docker.io/example/python:3.12",
        "ghcr.io/example/uv:python3.12-bookworm",
        "gcr.io/distroless/java17",
        "",
        ":3.12",
        "python:3.12-windowsservercore",
        "python:2.7",
    ],
)
def test_a_name_that_only_looks_like_a_known_one_is_unknown(reference: str) -> None:
    assert find_base(reference, ()) is None


@given(st.text(max_size=40))
def test_any_reference_is_known_or_not(reference: str) -> None:
    found = find_base(reference, ())
    assert found is None or not {*found.lacks} & {each.rpartition("/")[2] for each in found.executables}


def test_the_manifest_goes_before_the_catalog() -> None:
    own = Base(image="python:3.12*", user="1000")
    assert find_base("python:3.12-slim", [own]) is own
    other = find_base("python:3.11-slim", [own])
    assert other is not None and other.user != "1000"


def test_scratch_is_known_whole() -> None:
    found = find_base("scratch", ())
    assert found is not None and found.complete and not found.executables and not found.shell


def test_a_digest_changes_nothing() -> None:
    plain, pinned = find_base("python:3.12-slim", ()), find_base("python:3.12-slim@sha256:" + "0" * 64, ())
    assert plain == pinned


@pytest.mark.parametrize(
    ("reference", "slim"),
    [
        ("python:3.12-slim", True),
        ("debian:12", True),
        ("python:3.12", False),
        ("python:3.12-alpine", False),
        ("ubuntu:24.04", False),
        ("node:20-slim", False),
    ],
)
def test_slim_is_debian_and_nothing_but_python(reference: str, slim: bool) -> None:
    """Of these all programs are known: one that is not among them surely lacks."""
    base = find_base(reference, ())
    assert base is not None and is_slim(base) is slim
