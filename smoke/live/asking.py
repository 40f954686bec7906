"""What the harness asks of programs that come and go at one place, and what they answer."""

from __future__ import annotations

from typing import Any

import httpx


def probe_client(timeout_s: float = 10.0) -> httpx.Client:
    """A client for all that is asked of programs which come and go at one place: it keeps no connection and asks
    no proxy. Each new one reads all certificates of the machine, 50 ms of a core, so it is made once."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=timeout_s, trust_env=False, limits=limits)


def told(answer: httpx.Response | None) -> Any:
    """What an answer says: its JSON, else its beginning as text; none when there is no answer."""
    if answer is None:
        return None
    try:
        return answer.json()
    except (ValueError, RecursionError):  # no JSON, no text at all, or nested without end
        return f"{answer.status_code} {answer.text[:200]}".strip()
