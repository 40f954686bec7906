"""What one of the original greps of the report that the harness descends from comes to."""

from __future__ import annotations

from msgspec import Struct


class LiteralCount(Struct, frozen=True):
    """How often one of the report's original greps matches: lines, and the files that hold them."""

    command: str
    lines: int
    files: int
