"""Files that commands are given, read up to a bound."""

from __future__ import annotations

from pathlib import Path

from lucid.cli.failure import Failure


def read_bounded(path: Path, limit: int) -> bytes:
    """A file's bytes, of which there may be `limit`: a device that never ends is one sentence."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Failure(f"{path} has more than {limit} bytes, more than it can have")
    return data
