"""Names of images as Docker takes them, and as it does not."""

from __future__ import annotations

import pytest

from smoke.static.compose.image_name import hub_repository, tag_of, unreadable, without_tag


@pytest.mark.parametrize(
    "reference",
    [
        *["shop", "shop:1.0-RC1", "Registry.example.org/shop/app:1", "localhost:5000/a/b", "a--b/c__d:e", "$NAME:1"],
        *["host:5000/shop@sha256:" + "a" * 64, "ghcr.io/shop/app", ""],
    ],
)
def test_names(reference: str) -> None:
    assert unreadable(reference) == ""


@pytest.mark.parametrize(
    ("reference", "says"),
    [("Shop/app:1", "capitals"), ("shop/App", "capitals"), ("shop app", "not a name"), ("shop:", "not a name")],
)
def test_what_names_no_image(reference: str, says: str) -> None:
    assert says in unreadable(reference)


@pytest.mark.parametrize(
    ("reference", "bare"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("host:5000/redis", "host:5000/redis"),
        ("host:5000/redis:7-alpine", "host:5000/redis"),
        ("redis@sha256:" + "0" * 64, "redis"),
        ("host:5000/redis:7@sha256:" + "0" * 64, "host:5000/redis"),
        ("docker.io/library/redis:7", "docker.io/library/redis"),
    ],
)
def test_a_reference_without_tag_or_digest(reference: str, bare: str) -> None:
    """A port of a registry is not a tag: what follows it has a slash."""
    assert without_tag(reference) == bare


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("docker.io/library/postgres:16-alpine", "postgres"),
        ("index.docker.io/library/postgres", "postgres"),
        ("public.ecr.aws/docker/library/redis@sha256:" + "a" * 64, "redis"),
        ("docker.io/valkey/valkey:8@sha256:" + "a" * 64, "valkey/valkey"),
        ("ghcr.io/shop/redis:7", "ghcr.io/shop/redis"),
    ],
)
def test_repositories_of_the_hub(reference: str, name: str) -> None:
    assert hub_repository(reference) == name


@pytest.mark.parametrize(
    ("reference", "tag"),
    [
        ("redis:7-alpine", "7-alpine"),
        ("host:5000/redis:7@sha256:" + "a" * 64, "7"),
        ("host:5000/redis", ""),
        ("redis@sha256:" + "a" * 64, ""),
    ],
)
def test_tags(reference: str, tag: str) -> None:
    assert tag_of(reference) == tag
