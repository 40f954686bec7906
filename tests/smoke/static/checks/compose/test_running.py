"""What is read of a service's settings, and of the references of images."""

from __future__ import annotations

import pytest

from smoke.static.checks.compose.running import items_of, text_of, with_defaults, without_tag


@pytest.mark.parametrize(
    ("reference", "bare"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("host:5000/redis", "host:5000/redis"),
        ("host:5000/redis:7-alpine", "host:5000/redis"),
        ("redis@sha256:" + "0" * 64, "redis"),
        ("docker.io/library/redis:7", "docker.io/library/redis"),
    ],
)
def test_a_reference_without_tag_or_digest(reference: str, bare: str) -> None:
    """A port of a registry is not a tag: what follows it has a slash."""
    assert without_tag(reference) == bare


@pytest.mark.parametrize(
    ("text", "plain"),
    [("${A:-1}:${B-2}", "1:2"), ("${A}", "${A}"), ("${A:?no}", "${A:?no}"), ("${A:-}", ""), ("plain", "plain")],
)
def test_variables_stand_for_their_defaults_alone(text: str, plain: str) -> None:
    assert with_defaults(text) == plain


def test_what_is_not_there_is_empty() -> None:
    assert text_of(None) == "" and items_of(None) == []
