"""Where two traces part: the first event that differs, and what each node knew by then."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from harness.hunt.story import KINDS
from sim.trace import TRACE_VERSION

Event = dict[str, Any]
LAST = 5
"""How many events that both have are told before the first that differs."""


class TraceError(Exception):
    """A file is no trace that can be read; one sentence."""


class Knowledge(NamedTuple):
    """What a node had observed: the view that it was in, its last valid and final blocks, its last vote."""

    view: tuple[int, int] | None = None
    valid: tuple[int, str] | None = None
    final: tuple[int, str] | None = None
    signed: str = ""

    def after(self, event: Event) -> Knowledge:
        """What it knows after one more fact."""
        match event["fact"]:
            case "EnteredView":
                return self._replace(view=(event["epoch"], event["view"]))
            case "BlockValid":
                return self._replace(valid=(event["height"], event["hash"]))
            case "BlockFinal":
                return self._replace(final=(event["height"], event["hash"]))
            case "Signed":
                kind = KINDS[event["kind"]]
                block = f" for {event['block'][:8]}" if event["block"] else ""
                return self._replace(signed=f"{kind} of view {event['epoch']}/{event['view']}{block}")
        return self


class Parting(NamedTuple):
    """The first difference: its place (line of both files, from 1), the events (None past an end), and before it.

    `before` are the last events that both have, `known` what each node knew by then.
    """

    line: int
    first: Event | None
    second: Event | None
    before: tuple[Event, ...]
    known: dict[int, Knowledge]


def parting(first: Path, second: Path, beside_faults: bool = False) -> Parting | None:
    """Where two traces part; None if they are the same. Raises `TraceError`.

    `beside_faults`: what they say of faults is left out, as it is known that those differ.
    """
    before: deque[Event] = deque(maxlen=LAST)
    known: dict[int, Knowledge] = {}
    one_side, other_side = [
        (each for each in events(path) if not (beside_faults and "fault" in each)) for path in (first, second)
    ]
    for line, (one, other) in enumerate(zip_longest(one_side, other_side), 1):
        if one != other:
            return Parting(line, one, other, tuple(before), known)
        before.append(one)
        if "fact" in one:
            known[one["node"]] = known.get(one["node"], Knowledge()).after(one)
    return None


def events(path: Path) -> Iterator[Event]:
    """The lines of a trace file, or of the one in a run's folder; raises `TraceError`."""
    path = path / "trace.jsonl.zst" if path.is_dir() else path
    decoder = msgspec.json.Decoder(dict[str, Any])
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            for number, line in enumerate(io.BufferedReader(stream)):
                event = decoder.decode(line)
                if not number and event.get("trace") != TRACE_VERSION:
                    raise TraceError(f"{path} is no trace of version {TRACE_VERSION}")
                if not isinstance(event.get("at_us"), int):
                    raise TraceError(f"{path} cannot be read as a trace: line {number + 1} has no time")
                yield event
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}: a run writes it unless told --no-trace") from None
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise TraceError(f"{path} cannot be read as a trace: {error}") from None


def told(event: Event | None) -> str:
    """An event in words."""
    return "the end of the trace" if event is None else f"{event['at_us'] / 1_000_000:.6f} s: {_happened(event)}"


def _happened(event: Event) -> str:
    if "send" in event:
        return f"n{event['send']:02} sends message {event['message']} (kind {event['kind']}, {event['bytes']} bytes)"
    if "deliver" in event:
        return f"n{event['deliver']:02} gets message {event['message']} of n{event['from']:02}"
    if "power" in event:
        return f"n{event['power']:02} {'starts' if event['up'] else 'goes down'}"
    if "fact" not in event:
        return str(event.get("fault") or event.get("broken") or "the trace begins")
    rest = " ".join(
        f"{key}={value[:8] if isinstance(value, str) else value}"
        for key, value in event.items()
        if key not in ("at_us", "node", "fact")
    )
    return f"n{event['node']:02} {event['fact']} {rest}"
