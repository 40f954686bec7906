"""Bytes that never change, whole or the range of them that a request asks for (RFC 9110, 14.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from quart import Response, request

from lucid.chain.errors import Code
from lucid.services.web.problems import Problem

IMMUTABLE = "public, max-age=31536000, immutable"
"""For what is named by the hash of its bytes (RFC 8246); a year is the longest that HTTP/1.1 wants named (RFC 2616,
14.21)."""


def ranged(size: int, part: Callable[[int, int], Any], tag: str) -> Response:
    """The bytes that the request's Range asks for (RFC 9110, 14.2), one range; all of them without one. `part` gives
    those from one place to before another."""
    headers = {"ETag": f'"{tag}"', "Accept-Ranges": "bytes", "Cache-Control": IMMUTABLE}
    first, last, status = 0, size - 1, 200
    # Of HEAD no range can be asked.
    wanted = request.headers.get("Range", "") if request.method == "GET" else ""
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted)
    if asked is not None and asked[0] != "bytes=-":
        if not asked[1]:
            first, status = max(0, size - int(asked[2])), 206
        elif not asked[2] or int(asked[1]) <= int(asked[2]):
            first, last, status = int(asked[1]), min(int(asked[2] or size), size - 1), 206
    if first > last:
        raise Problem(Code.RANGE, f"there are {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last + 1 - first)
    response = Response(part(first, last + 1), status, headers=headers, content_type="application/octet-stream")
    response.timeout = None  # whoever reads slowly may take its time
    return response
