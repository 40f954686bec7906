"""Which programs are servers, and who reads their command lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module

from smoke.static.model.servers.numbers import no_number
from smoke.static.model.servers.served import Served
from smoke.static.model.servers.situation import Situation


def served(name: str, arguments: Sequence[str], situation: Situation) -> Served | None:
    """What a server that is started like this does; none when the program is not a server that is known here."""
    if name not in _SERVERS:
        return None
    found = _reader(name)(list(arguments), situation)
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


_ALONE = (
    "sanic",
    "litestar",
    "jupyter",
    "mkdocs",
    "mlflow",
    "datasette",
    "tensorboard",
    "dagster-webserver",
    "chainlit",
    "marimo",
)
_SERVERS = {
    **{name: ("gateways", name) for name in ("uvicorn", "hypercorn", "daphne", "granian", "waitress")},
    **{name: ("frameworks", name) for name in ("flask", "quart", "fastapi", "streamlit")},
    **{name: (name, name) for name in ("gunicorn", "uwsgi")},
    **{name: ("workers", name) for name in ("celery", "dramatiq", "arq", "taskiq", "huey")},
    **{name: ("alone", name) for name in _ALONE},
    **dict.fromkeys(("huey_consumer", "huey_consumer.py"), ("workers", "huey")),
    **dict.fromkeys(("jupyter-lab", "jupyter-notebook", "jupyter-server"), ("alone", "jupyter_server")),
    "waitress-serve": ("gateways", "waitress"),
}
"""Who reads the command line of each, by module and key of its `READERS`; loaded as a command names the server."""


def _reader(name: str) -> Callable[[list[str], Situation], Served]:
    module, key = _SERVERS[name]
    found: Callable[[list[str], Situation], Served] = import_module(f"smoke.static.model.servers.{module}").READERS[key]
    return found
