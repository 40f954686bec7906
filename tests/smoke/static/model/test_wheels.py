"""Pins for which there is no wheel."""

from __future__ import annotations

from smoke.static.model.wheels import without_wheel


def test_a_pin_older_than_its_first_wheel_needs_a_compiler() -> None:
    assert "no wheel for Python 3.12" in without_wheel("numpy", "numpy==1.24.4", "3.12", compiler=False)
    assert without_wheel("numpy", "numpy==1.24.4", "3.12", compiler=True) == ""
    assert without_wheel("numpy", "numpy==1.26.4", "3.12", compiler=False) == ""
    assert without_wheel("numpy", "numpy>=1.20", "3.12", compiler=False) == ""
    assert without_wheel("numpy", "numpy==banana", "3.12", compiler=False) == ""


def test_what_has_no_source_cannot_be_compiled() -> None:
    assert "no source on PyPI" in without_wheel("torch", "torch==1.13.1", "3.12", compiler=True)
