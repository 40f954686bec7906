"""The page of a story: one file that a browser opens without a network, drawn on a canvas."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zlib
from array import array
from html import escape
from importlib import resources

import msgspec

from harness.report.colors import COLORS
from harness.timeline.story import KINDS, MARKS, Story

COLUMNS = (
    "mark_at", "sent_at", "got_at", "mark_lane", "mark_kind", "mark_epoch", "mark_view", "mark_number", "mark_hash",
    "sent_lane", "sent_kind", "sent_bytes", "got_lane", "got_message",
)  # fmt: skip
"""Columns as they stand in the page, those of doubles first, so that all are aligned."""


def render(story: Story) -> str:
    """The whole page. Its script is the only one that the browser may run, and nothing is loaded."""
    folder = resources.files("harness.timeline")
    script = folder.joinpath("viewer.js").read_text("utf-8")
    style = folder.joinpath("viewer.css").read_text("utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    light = "".join(f"--{name}:{each[0]};" for name, each in COLORS.items())
    dark = "".join(f"--{name}:{each[1]};" for name, each in COLORS.items())
    colors = f":root{{color-scheme:light dark;{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    body = folder.joinpath("viewer.html").read_text("utf-8").replace("TITLE", escape(story.title))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"/><link rel="icon" href="data:,"/>'
        f"<title>{escape(story.title)}: timeline</title><style>{colors}{style}</style></head>\n<body>{body}"
        f'<script type="text/plain" id="data">{_packed(story)}</script><script>{script}</script></body></html>\n'
    )


def _packed(story: Story) -> str:
    """Head and columns, deflated, in base64: the head's length in 8 digits, the head, then each column."""
    columns = {name: getattr(story, name) for name in COLUMNS}
    head = {
        "title": story.title,
        "lanes": story.lanes,
        "end": story.end_us,
        "faults": msgspec.to_builtins(story.faults),
        "broken": msgspec.to_builtins(story.broken),
        "hashes": story.hashes,
        "marks": MARKS,
        "kinds": KINDS,
        "columns": [[name, column.typecode, len(column)] for name, column in columns.items()],
    }
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    packer = zlib.compressobj(6)
    parts = [packer.compress(b"%08d" % len(text) + text)]
    parts += [packer.compress(_little(column)) for column in columns.values()]
    return base64.b64encode(b"".join([*parts, packer.flush()])).decode()


def _little(column: array[float] | array[int]) -> bytes:
    """A column's bytes, least significant first."""
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()
