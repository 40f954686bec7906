"""Options of servers that take a number: a port, or how many workers there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from smoke.static.model.servers.situation import Situation

_PORTS = {
    **dict.fromkeys(("uvicorn", "granian", "fastapi", "waitress-serve", "waitress"), frozenset(["--port"])),
    **dict.fromkeys(("flask", "quart", "daphne"), frozenset(["--port", "-p"])),
    "streamlit": frozenset(["--server.port"]),
}
_ADDRESSES = dict.fromkeys(("gunicorn", "hypercorn"), frozenset(["--bind", "-b"]))
"""Options whose value is `host:port`."""
_COUNTS = {
    "gunicorn": frozenset(["--workers", "-w", "--threads", "--timeout", "-t"]),
    "hypercorn": frozenset(["--workers", "-w"]),
    "uvicorn": frozenset(["--workers"]),
    "granian": frozenset(["--workers"]),
}


def no_number(server: str, arguments: Sequence[str], situation: Situation) -> str:
    """Why a server refuses an option that takes a number; empty when nothing speaks against it."""
    for name, value in _options(arguments):
        text = value.rpartition(":")[2] if name in _ADDRESSES.get(server, ()) else value
        if name in _ADDRESSES.get(server, ()) and (":" not in value or re.match(r"unix:|fd://|file:", value)):
            continue
        if name not in _ADDRESSES.get(server, _PORTS.get(server, frozenset())) | _COUNTS.get(server, frozenset()):
            continue
        if "$" in text:
            if value in situation.spoken or f"{name}={value}" in situation.spoken:
                return f"{text} stays as it is in an exec form, which no shell reads: {server} takes no such {name}"
        elif not re.fullmatch(r"-?[0-9]+", text) or (name not in _COUNTS.get(server, ()) and int(text[:9]) > 65535):
            return f"{server} takes a number for {name}, and {value!r} has none that it could be"
    return ""


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, of each form."""
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        if name.startswith("--"):
            yield name, value if equals else following
        elif re.match(r"-[a-z]", word):
            yield word[:2], word[2:].removeprefix("=") or following
