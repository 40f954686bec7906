"""What is wrong with a file that is read on the way to an image."""

from __future__ import annotations

from msgspec import Struct


class Trouble(Struct, frozen=True):
    """A line that its own tool (pip, Compose) would refuse or, with `doubtful`, one that is not followed here."""

    path: str
    line: int
    message: str
    doubtful: bool = False
