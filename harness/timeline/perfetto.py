"""A story as JSON that ui.perfetto.dev opens: nodes as threads, views as slices, messages as flows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from harness.timeline.story import GOES_DOWN, KINDS, MARKS, Story

NODES, FAULTS = 1, 2
"""Processes: one of the nodes, one of the faults."""


def write_perfetto(story: Story, path: Path) -> int:
    """Write the trace event format, an event a line; returns how many events."""
    encode, count = msgspec.json.Encoder().encode, 0
    with path.open("wb") as file:
        file.write(b'{"displayTimeUnit":"ms","traceEvents":[\n')
        for event in _events(story):
            file.write((b",\n" if count else b"") + encode(event))
            count += 1
        file.write(b"\n]}\n")
    return count


def _events(story: Story) -> Iterator[dict[str, Any]]:
    yield {"ph": "M", "pid": NODES, "name": "process_name", "args": {"name": story.title}}
    yield {"ph": "M", "pid": FAULTS, "name": "process_name", "args": {"name": "faults"}}
    for lane, name in enumerate(story.lanes):
        yield {"ph": "M", "pid": NODES, "tid": lane, "name": "thread_name", "args": {"name": name}}
    yield from _marks(story)
    yield from _messages(story)
    for place, fault in enumerate(story.faults):
        until = story.end_us if fault.until is None else fault.until
        yield {
            "ph": "X", "pid": FAULTS, "tid": place, "name": fault.text, "ts": fault.at,
            "dur": until - fault.at,
        }  # fmt: skip
    for broken in story.broken:
        yield {"ph": "i", "s": "g", "pid": NODES, "tid": 0, "name": f"broken: {broken.text}", "ts": broken.at}


def _marks(story: Story) -> Iterator[dict[str, Any]]:
    """Views as slices from one entry to the next, all else as instants."""
    entered: dict[int, tuple[float, str]] = {}
    for place, at in enumerate(story.mark_at):
        lane, kind = story.mark_lane[place], story.mark_kind[place]
        view = f"{story.mark_epoch[place]}/{story.mark_view[place]}"
        if kind in (0, 1, GOES_DOWN):
            before = entered.pop(lane, None)
            if before is not None:
                yield _slice(lane, *before, at)
            if kind != GOES_DOWN:
                entered[lane] = (at, f"view {view}{' by a skip' if kind else ''}")
                continue
        details: dict[str, Any] = {"view": view}
        if story.mark_number[place] >= 0:
            details["number"] = story.mark_number[place]
        if story.mark_hash[place] >= 0:
            details["block"] = story.hashes[story.mark_hash[place]]
        yield {
            "ph": "i", "s": "t", "pid": NODES, "tid": lane, "name": MARKS[kind], "ts": at, "args": details,
        }  # fmt: skip
    for lane, before in sorted(entered.items()):
        yield _slice(lane, *before, story.end_us)


def _slice(lane: int, at: float, name: str, until: float) -> dict[str, Any]:
    return {"ph": "X", "pid": NODES, "tid": lane, "name": name, "ts": at, "dur": max(until - at, 1)}


def _messages(story: Story) -> Iterator[dict[str, Any]]:
    """Each delivery as a flow from its sending."""
    for place, at in enumerate(story.got_at):
        message = story.got_message[place]
        kind = KINDS.get(story.sent_kind[message], f"kind {story.sent_kind[message]}")
        flow = {"cat": "message", "name": kind, "id": place, "pid": NODES}
        yield flow | {"ph": "s", "tid": story.sent_lane[message], "ts": story.sent_at[message]}
        yield flow | {"ph": "f", "bp": "e", "tid": story.got_lane[place], "ts": at}
