"""Packages by release."""

from __future__ import annotations

from smoke.static.model.releases import lacks_package


def test_what_a_release_lacks_is_told_with_what_to_take() -> None:
    assert "netcat-openbsd" in lacks_package("bookworm", "netcat")
    assert "3.11" in lacks_package("bookworm", "python3.12-venv")
    assert lacks_package("jammy", "python3.11") == ""
    assert lacks_package("bullseye", "netcat") == ""
    assert lacks_package("", "netcat") == ""
    assert lacks_package("bookworm", "postgresql-client-16=16.1-1")
