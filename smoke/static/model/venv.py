"""A virtual environment of an image."""

from __future__ import annotations

from msgspec import Struct


class Venv(Struct, frozen=True):
    """A virtual environment: where it was made (its programs name that place) and the Python behind it."""

    made: str
    interpreter: str
    version: str = ""
    system: bool = False
    """Whether it sees the system's distributions too."""
    managed: bool = False
    """Whether uv fetched its Python."""
