"""Journals: every event that one machine handled, in order, in the form that `lucid replay` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from sim.node import Node
    from sim.world import World


class JournalWriter:
    """Placeholder until the journal's format is in place."""

    def __init__(self, folder: Path, world: World, node: Node, machine: str) -> None:
        self._file = (folder / f"{node.name}-{machine}.journal").open("ab")
        self._writer = zstandard.ZstdCompressor(level=3).stream_writer(self._file)

    def write(self, now: int, event: Any) -> None:
        self._writer.write(b"")

    def close(self) -> None:
        self._writer.close()
        self._file.close()
