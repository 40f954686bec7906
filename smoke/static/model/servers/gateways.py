"""Servers of ASGI and WSGI apps: uvicorn, hypercorn, daphne, granian, waitress."""

from __future__ import annotations

import re
import tomllib

from smoke.static.model.servers.options import foreign_to, read_line, strange
from smoke.static.model.servers.served import Served, address, aim, number
from smoke.static.model.servers.situation import Situation, missing_file

_UVICORN_PLAIN = frozenset(
    [
        *["--reload", "--use-colors", "--no-use-colors", "--proxy-headers", "--no-proxy-headers", "--server-header"],
        *["--no-server-header", "--date-header", "--no-date-header", "--access-log", "--no-access-log", "--factory"],
        *["--version", "--help"],
    ]
)


_UVICORN_VALUED = frozenset(
    [
        *[
            "--host",
            "--port",
            "--uds",
            "--fd",
            "--reload-dir",
            "--reload-include",
            "--reload-exclude",
            "--reload-delay",
        ],
        *["--workers", "--loop", "--http", "--ws", "--ws-max-size", "--ws-max-queue", "--ws-ping-interval"],
        *["--ws-ping-timeout", "--ws-per-message-deflate", "--lifespan", "--interface", "--env-file", "--log-config"],
        *["--log-level", "--forwarded-allow-ips", "--root-path", "--limit-concurrency", "--backlog", "--header"],
        *["--limit-max-requests", "--timeout-keep-alive", "--timeout-graceful-shutdown", "--ssl-keyfile"],
        *["--timeout-worker-healthcheck", "--ssl-certfile", "--ssl-keyfile-password", "--ssl-version"],
        *["--ssl-cert-reqs", "--ssl-ca-certs", "--ssl-ciphers", "--app-dir", "--h11-max-incomplete-event-size"],
    ]
)
_OF_OTHERS = frozenset(
    [
        *["--bind", "-b", "-w", "-k", "--worker-class", "--timeout", "--chdir", "--config", "-c", "--threads"],
        *["--access-logfile", "--error-logfile", "--certfile", "--keyfile", "--max-requests", "--preload"],
        *["--graceful-timeout", "--keep-alive", "--daemon", "-p", "-h"],
    ]
)
"""Options of gunicorn and its kin that uvicorn does not have."""


def uvicorn(arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, _UVICORN_PLAIN)
    environment = situation.environment
    found = Served(needs=["uvicorn"], factory="--factory" in line.values)
    target = line.operands[0] if line.operands else environment.get("UVICORN_APP", "")
    found.directory = line.last("--app-dir") or environment.get("UVICORN_APP_DIR", "")
    if "--uds" not in line.values and "--fd" not in line.values:
        found.host = line.last("--host") or environment.get("UVICORN_HOST", "127.0.0.1")
        found.port = number(line.last("--port") or environment.get("UVICORN_PORT"), 8000)
    for option, modules in (("--loop", {"uvloop"}), ("--http", {"httptools"}), ("--ws", {"websockets", "wsproto"})):
        value = (line.last(option) or "").partition("-")[0]
        if value in modules:
            found.needs.append(value)
    if (line.last("--log-config") or "").endswith((".yaml", ".yml")):
        found.needs.append("yaml")
    if line.last("--env-file"):
        found.needs.append("dotenv")
    files = (line.last(each) for each in ("--log-config", "--env-file", "--ssl-keyfile", "--ssl-certfile"))
    if absent := missing_file("uvicorn", files, situation):
        found.trouble = absent
    elif odd := strange(line.values, _UVICORN_PLAIN | _UVICORN_VALUED, _OF_OTHERS):
        found.trouble = f"uvicorn has no option {odd}: it ends with a message about its usage"
    elif not target:
        found.trouble = "uvicorn is not told which app to serve"
    elif re.fullmatch(r"[A-Za-z_][\w.]*", target):
        found.trouble = f"uvicorn is given {target!r}, which lacks the name of the app: MODULE:APP"
        found.module = target.removesuffix(".py")
    else:
        aim(found, target, "app")
    return found


def hypercorn(arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, frozenset(["--reload", "--debug", "--version", "--help"]))
    found = Served(needs=["hypercorn"])
    config = line.last("-c", "--config")
    bind = line.last("-b", "--bind")
    if config is not None and bind is None:
        bind = _hypercorn_bind(found, config, situation)
    found.host, found.port = address(bind or "127.0.0.1:8000") if bind != "?" else ("", None)
    worker = line.last("-k", "--worker-class")
    if worker in ("trio", "uvloop"):
        found.needs.append(worker)
    if trouble := foreign_to("hypercorn", line.values):
        found.trouble = trouble
    elif not line.operands:
        found.trouble = "hypercorn is not told which app to serve"
    else:
        aim(found, line.operands[0].removeprefix("asgi:").removeprefix("wsgi:"), "app", dotted=False)
    return found


def _hypercorn_bind(found: Served, config: str, situation: Situation) -> str:
    if config.startswith(("python:", "file:")):
        return "?"
    text = situation.read(config)
    if text is None:
        if situation.exists(config) is False:
            found.trouble = f"hypercorn's configuration {config} is not in the image"
        return "?"
    try:
        bind = tomllib.loads(text).get("bind", "127.0.0.1:8000")
    except tomllib.TOMLDecodeError:
        found.trouble = f"hypercorn's configuration {config} is not TOML"
        return "?"
    return str(bind[0] if isinstance(bind, list) and bind else bind)


def daphne(arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, frozenset(["--proxy-headers", "--no-server-name", "--help", "--version"]))
    found = Served(needs=["daphne"])
    if not {"-u", "--unix-socket", "--fd", "-e", "--endpoint"} & line.values.keys():
        found.host = line.last("-b", "--bind") or "127.0.0.1"
        found.port = number(line.last("-p", "--port"), 8000)
    if trouble := foreign_to("daphne", line.values):
        found.trouble = trouble
    elif not line.operands:
        found.trouble = "daphne is not told which app to serve"
    else:
        aim(found, line.operands[0], "application")
    return found


def granian(arguments: list[str], situation: Situation) -> Served:
    plain = frozenset(
        [
            "--reload",
            "--factory",
            "--no-factory",
            "--ws",
            "--no-ws",
            "--access-log",
            "--no-access-log",
            "--version",
            "--respawn-failed-workers",
            "--no-respawn-failed-workers",
            "--log",
            "--no-log",
            "--help",
        ]
    )
    line = read_line(arguments, plain)
    environment = situation.environment
    found = Served(needs=["granian"], factory="--factory" in line.values)
    found.host = line.last("--host") or environment.get("GRANIAN_HOST", "127.0.0.1")
    found.port = number(line.last("--port") or environment.get("GRANIAN_PORT"), 8000)
    found.directory = line.last("--working-dir") or ""
    if trouble := foreign_to("granian", line.values):
        found.trouble = trouble
    elif not line.operands:
        found.trouble = "granian is not told which app to serve"
    else:
        aim(found, line.operands[0], "app")
    return found


def waitress(arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, frozenset(), equals_only=True)
    found = Served(needs=["waitress"], factory="--call" in line.values, host="0.0.0.0", port=8080)
    listen = line.last("--listen")
    if listen:
        found.host, found.port = address(listen)
    found.host = line.last("--host") or found.host
    found.port = number(line.last("--port"), found.port)
    if "--unix-socket" in line.values:
        found.host, found.port = "", None
    if trouble := foreign_to("waitress-serve", line.values):
        found.trouble = trouble
    elif not line.operands:
        found.trouble = "waitress-serve is not told which app to serve"
    elif ":" not in line.operands[0]:
        found.trouble = f"waitress-serve is given {line.operands[0]!r}, which lacks the name of the app: MODULE:APP"
    else:
        aim(found, line.operands[0], "app")
    return found


READERS = {each.__name__: each for each in (uvicorn, hypercorn, daphne, granian, waitress)}
"""Readers of their command lines, by the names that the catalog has for them."""
