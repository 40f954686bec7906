"""The trace of a run: its hash, kept always, and its file, kept when asked for.

The hash covers every delivery and every fact in order. Deliveries are collected as integers and hashed in blocks, so
that nothing is formatted on the path of a delivery.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from blake3 import blake3

from lucid.chain.codec import encode
from lucid.machines.effects import Fact

BLOCK = 32_768
TRACE_VERSION = 3
"""Goes up with each change of the lines of a trace file; docs/simulator.md describes them."""


class Trace:
    """Hashes what happens; `path` names a `.jsonl.zst` file to write it to as well."""

    def __init__(self, path: Path | None = None) -> None:
        self._hash = blake3(derive_key_context="lucid sim trace v1")
        self._numbers = array("q")
        self.note = self._numbers.append
        self._lines = None if path is None else _Lines(path)
        if self._lines is not None:
            self._lines.write({"at_us": 0, "trace": TRACE_VERSION})
        self.writing = path is not None

    def flush(self) -> None:
        """Hash what was collected."""
        self._hash.update(self._numbers.tobytes())
        del self._numbers[:]

    def sent(self, now_us: int, number: int, sender: int, copies: int, data: bytes) -> None:
        """A message left a node for so many receivers; deliveries name it by its number."""
        if len(self._numbers) >= BLOCK:
            self.flush()
        self._hash.update(data)
        if self._lines is not None:
            self._lines.write(
                {
                    "at_us": now_us,
                    "send": sender,
                    "message": number,
                    "copies": copies,
                    "kind": data[1],
                    "bytes": len(data),
                }
            )

    def sent_singly(self, now_us: int, first: int, messages: int, sender: int, data: bytes) -> None:
        """So many messages of the same bytes left a node, each for one receiver: as `sent` of each in turn."""
        if self._lines is None:
            if len(self._numbers) >= BLOCK:
                self.flush()
            self._hash.update(data * messages)
        else:
            for number in range(first, first + messages):
                self.sent(now_us, number, sender, 1, data)

    def delivered(self, now_us: int, number: int, sender: int, receiver: int, kind: int) -> None:
        """Write a delivery to the file; its numbers were noted already."""
        assert self._lines is not None
        self._lines.write({"at_us": now_us, "deliver": receiver, "message": number, "from": sender, "kind": kind})

    def fact(self, now_us: int, node: int, fact: Fact) -> None:
        """Something was observed at a node."""
        self.note(now_us)
        self.note(node)
        self._hash.update(encode(fact))
        if self._lines is not None:
            self._lines.write({"at_us": now_us, "node": node, "fact": type(fact).__name__, **_fields(fact)})

    def fault(self, now_us: int, what: str) -> None:
        """A fault began or ended; for the hash alone."""
        self._hash.update(f"{now_us} {what}".encode())

    def tell_fault(self, now_us: int, what: str, place: int, lane: str, color: str) -> None:
        """The fault at this place of the scenario is about to begin or to end; for the file alone."""
        if self._lines is not None:
            self._lines.write({"at_us": now_us, "fault": what, "place": place, "lane": lane, "color": color})

    def network(self, names: list[str]) -> None:
        """Which nodes there are, by index; for the file alone."""
        if self._lines is not None:
            self._lines.write({"at_us": 0, "nodes": names})

    def power(self, now_us: int, node: int, up: bool) -> None:
        """A node came up or went down; for the file alone."""
        if self._lines is not None:
            self._lines.write({"at_us": now_us, "power": node, "up": up})

    def broken(self, now_us: int, what: str) -> None:
        """An invariant broke, and the run ends; for the file alone."""
        if self._lines is not None:
            self._lines.write({"at_us": now_us, "broken": what})

    def close(self) -> str:
        """Finish the file; returns the trace hash as hex."""
        self.flush()
        if self._lines is not None:
            self._lines.close()
        return self._hash.hexdigest()


class _Lines:
    """JSON lines, compressed as they come."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._writer = zstandard.ZstdCompressor(level=3).stream_writer(self._file)
        self._encoder = msgspec.json.Encoder()

    def write(self, line: dict[str, Any]) -> None:
        self._writer.write(self._encoder.encode(line) + b"\n")

    def close(self) -> None:
        self._writer.flush(zstandard.FLUSH_FRAME)
        self._file.close()


def _fields(fact: Fact) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name == "vote":
            values |= {"epoch": value.epoch, "view": value.view, "kind": value.kind, "block": value.block.hex()}
        else:
            values[name] = value.hex() if isinstance(value, bytes) else value
    return values
