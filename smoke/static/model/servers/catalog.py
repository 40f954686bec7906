"""Which programs are servers, and who reads their command lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from smoke.static.model.servers.alone import ALONE, litestar, sanic
from smoke.static.model.servers.frameworks import fastapi, flask, quart, streamlit
from smoke.static.model.servers.gateways import daphne, granian, hypercorn, uvicorn, waitress
from smoke.static.model.servers.gunicorn import gunicorn
from smoke.static.model.servers.numbers import no_number
from smoke.static.model.servers.served import Served, Situation
from smoke.static.model.servers.uwsgi import uwsgi
from smoke.static.model.servers.workers import celery, worker_of


def served(name: str, arguments: Sequence[str], situation: Situation) -> Served | None:
    """What a server that is started like this does; none when the program is not a server that is known here."""
    reader = _SERVERS.get(name)
    if reader is None:
        return None
    found = reader(list(arguments), situation)
    if any("$" in word for word in (found.module, found.application, found.script)):
        return Served(doubt=f"what {name} serves is decided by a variable", needs=found.needs)
    if not found.trouble:
        found.trouble = next(filter(None, (_joined(name, word) for word in arguments)), "")
    if not found.trouble:
        found.trouble = no_number(name, arguments, situation)
    return found


def _joined(server: str, word: str) -> str:
    """An option and its value in one word, which no shell takes apart."""
    match = re.fullmatch(r"(--[a-z][a-z-]*)\s+\S.*", word)
    return "" if match is None else f"{word!r} is one word of an exec form: {server} has no such option as {word!r}"


def is_server(name: str) -> bool:
    """Whether a program is one of the servers."""
    return name in _SERVERS


_SERVERS: dict[str, Callable[[list[str], Situation], Served]] = {
    "uvicorn": uvicorn,
    "gunicorn": gunicorn,
    "uwsgi": uwsgi,
    "hypercorn": hypercorn,
    "daphne": daphne,
    "granian": granian,
    "waitress-serve": waitress,
    "waitress": waitress,
    "flask": flask,
    "quart": quart,
    "fastapi": fastapi,
    "streamlit": streamlit,
    "celery": celery,
    "dramatiq": worker_of("dramatiq"),
    "arq": worker_of("arq"),
    "taskiq": worker_of("taskiq"),
    "huey_consumer": worker_of("huey"),
    "huey_consumer.py": worker_of("huey"),
    "sanic": sanic,
    "litestar": litestar,
    **ALONE,
}
