"""Names of images as Docker takes them, and as it does not."""

from __future__ import annotations

import pytest

from smoke.static.compose.image_name import unreadable


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
