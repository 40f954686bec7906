"""Servers that Python projects are started with: which module they load, what they need, where they listen."""

from __future__ import annotations

import ast
import posixpath
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_APPLICATION = re.compile(r"([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*)(\(.*\))?)?")


@dataclass
class Served:
    """What a server's command line and configuration come to."""

    module: str = ""
    application: str = ""
    script: str = ""
    """A file that is run instead of a module, as the command names it."""
    factory: bool = False
    host: str = ""
    port: int | None = None
    needs: list[str] = field(default_factory=list)
    """Modules that must be installed."""
    also: list[str] = field(default_factory=list)
    """Modules of the tree that it loads besides."""
    directory: str = ""
    """Where it looks for the module, as the command says it; empty: the working directory."""
    doubt: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Situation:
    """What a server finds: its environment, and files by their path in the image."""

    environment: Mapping[str, str]
    read: Callable[[str], str | None]
    """A file's text; none when it is not there or not of the tree."""
    exists: Callable[[str], bool | None]
    """Whether a file is there; none when that cannot be told."""


def served(name: str, arguments: Sequence[str], situation: Situation) -> Served | None:
    """What a server that is started like this does; none when the program is no server that is known here."""
    reader = _SERVERS.get(name)
    if reader is None:
        return None
    found = reader(list(arguments), situation)
    if any("$" in word for word in (found.module, found.application, found.script)):
        return Served(doubt=f"what {name} serves is decided by a variable", needs=found.needs)
    return found


def is_server(name: str) -> bool:
    """Whether a program is one of the servers."""
    return name in _SERVERS


@dataclass
class _Line:
    """A command line that has been read."""

    values: dict[str, list[str]] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)

    def last(self, *names: str) -> str | None:
        """The last value of an option, by any of its names."""
        found = [value for name in names for value in self.values.get(name, [])]
        return found[-1] if found else None


def _read(arguments: Sequence[str], plain: frozenset[str], *, equals_only: bool = False) -> _Line:
    """Options and operands; options of `plain` take no value, all others do."""
    line = _Line()
    words = iter(arguments)
    for word in words:
        if not word.startswith("-") or word == "-":
            line.operands.append(word)
            continue
        name, equals, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2 and not equals:
            name, value, equals = word[:2], word[2:], "="
        if not equals and name not in plain and not equals_only:
            value = next(words, "")
        line.values.setdefault(name, []).append(value)
    return line


def _number(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _address(text: str) -> tuple[str, int | None]:
    """`host:port`, `:port` and their kin."""
    if text.startswith(("unix:", "fd://")) or "$" in text:
        return "", None
    host, _, port = text.rpartition(":")
    if not host and not text.startswith(":"):
        return (text, None) if not text.isdigit() else ("0.0.0.0", _number(text, None))
    return host or "0.0.0.0", _number(port, None)


def _target(found: Served, text: str, default: str) -> None:
    match = _APPLICATION.fullmatch(text)
    if match is None:
        found.doubt = f"which app {text!r} means is not followed"
        return
    found.module, found.application = match[1], match[2] or default
    found.factory = found.factory or bool(match[3])


# -- ASGI and WSGI servers --------------------------------------------------------------------------------------------

_UVICORN_PLAIN = frozenset(
    [
        *["--reload", "--use-colors", "--no-use-colors", "--proxy-headers", "--no-proxy-headers", "--server-header"],
        *["--no-server-header", "--date-header", "--no-date-header", "--access-log", "--no-access-log", "--factory"],
        *["--version", "--help"],
    ]
)


def _uvicorn(arguments: list[str], situation: Situation) -> Served:
    line = _read(arguments, _UVICORN_PLAIN)
    environment = situation.environment
    found = Served(needs=["uvicorn"], factory="--factory" in line.values)
    target = line.operands[0] if line.operands else environment.get("UVICORN_APP", "")
    found.directory = line.last("--app-dir") or environment.get("UVICORN_APP_DIR", "")
    if "--uds" not in line.values and "--fd" not in line.values:
        found.host = line.last("--host") or environment.get("UVICORN_HOST", "127.0.0.1")
        found.port = _number(line.last("--port") or environment.get("UVICORN_PORT"), 8000)
    for option, modules in (("--loop", {"uvloop"}), ("--http", {"httptools"}), ("--ws", {"websockets", "wsproto"})):
        value = (line.last(option) or "").partition("-")[0]
        if value in modules:
            found.needs.append(value)
    if not target:
        found.trouble = "uvicorn is not told which app to serve"
    elif re.fullmatch(r"[A-Za-z_][\w.]*", target):
        found.trouble = f"uvicorn is given {target!r}, which lacks the name of the app: MODULE:APP"
        found.module = target.removesuffix(".py")
    else:
        _target(found, target, "app")
    return found


_GUNICORN_PLAIN = frozenset(
    [
        *["--reload", "--spew", "--check-config", "--print-config", "--preload", "--no-sendfile", "--reuse-port"],
        *["--daemon", "-D", "--initgroups", "--capture-output", "--enable-stdio-inheritance", "-R", "--log-syslog"],
        *["--disable-redirect-access-to-syslog", "--proxy-protocol", "--suppress-ragged-eofs", "--strip-header-spaces"],
        *["--do-handshake-on-connect", "--no-proxy-headers", "--permit-obsolete-folding", "--casefold-http-method"],
        *["--permit-unconventional-http-method", "--permit-unconventional-http-version", "--version", "-v", "--help"],
    ]
)
_WORKERS = {
    "gevent": "gevent",
    "eventlet": "eventlet",
    "tornado": "tornado",
    "gevent_wsgi": "gevent",
    "meinheld": "meinheld",
}


def _gunicorn(arguments: list[str], situation: Situation) -> Served:
    given = situation.environment.get("GUNICORN_CMD_ARGS", "").split()
    line, earlier = _read(arguments, _GUNICORN_PLAIN), _read(given, _GUNICORN_PLAIN)
    found = Served(needs=["gunicorn"])
    settings = _gunicorn_settings(found, line.last("-c", "--config") or earlier.last("-c", "--config"), situation)

    def setting(key: str, *options: str) -> str | None:
        value = line.last(*options) or earlier.last(*options)
        return value if value is not None else settings.get(key)

    found.directory = setting("chdir", "--chdir") or ""
    if found.directory == "?":
        found.directory, found.doubt = "", "where gunicorn changes to is decided as its configuration runs"
    port = situation.environment.get("PORT", "")
    bind = setting("bind", "-b", "--bind") or (f"0.0.0.0:{port}" if port else "127.0.0.1:8000")
    found.host, found.port = _address(bind) if bind != "?" else ("", None)
    worker = setting("worker_class", "-k", "--worker-class") or ""
    if worker in _WORKERS:
        found.needs.append(_WORKERS[worker])
    elif "." in worker and re.fullmatch(r"[\w.]+", worker):
        found.also.append(worker.rpartition(".")[0])
    target = line.operands[0] if line.operands else settings.get("wsgi_app", "")
    if {"--paste", "--paster"} & line.values.keys() or target == "?":
        found.doubt = "which app gunicorn serves is decided by a file"
    elif not target:
        found.trouble = "" if found.doubt else "gunicorn is not told which app to serve"
    else:
        _target(found, target, "application")
    return found


def _gunicorn_settings(found: Served, config: str | None, situation: Situation) -> dict[str, str]:
    path = config or "gunicorn.conf.py"
    if path.startswith("python:"):
        found.also.append(path.removeprefix("python:"))
        return {"bind": "?"}
    path = path.removeprefix("file:")
    text = situation.read(path)
    if text is None:
        if config is not None and situation.exists(path) is False:
            found.trouble = f"gunicorn's configuration {path} is not in the image"
        elif config is not None:
            found.doubt = f"gunicorn's configuration {path} is not known"
        return {"bind": "?"} if config is not None else {}
    return _python_settings(text, ("bind", "wsgi_app", "chdir", "worker_class"))


def _python_settings(text: str, keys: Sequence[str]) -> dict[str, str]:
    """Constants that a configuration in Python sets; `?` for what it works out."""
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return dict.fromkeys(keys, "?")
    found: dict[str, str] = {}
    if re.search(r"\b(?:locals|globals|exec)\(|import \*", text):
        return dict.fromkeys((key for key in keys if key != "chdir"), "?")
    for node in ast.walk(parsed):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in keys:
                value = (
                    node.value.elts[0] if isinstance(node.value, ast.List) and len(node.value.elts) == 1 else node.value
                )
                plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
                found[target.id] = str(value.value) if plain and target.id not in found else "?"  # type: ignore[attr-defined]
    return found


def _hypercorn(arguments: list[str], situation: Situation) -> Served:
    line = _read(arguments, frozenset(["--reload", "--debug", "--version", "--help"]))
    found = Served(needs=["hypercorn"])
    config = line.last("-c", "--config")
    bind = line.last("-b", "--bind")
    if config is not None and bind is None:
        bind = _hypercorn_bind(found, config, situation)
    found.host, found.port = _address(bind or "127.0.0.1:8000") if bind != "?" else ("", None)
    worker = line.last("-k", "--worker-class")
    if worker in ("trio", "uvloop"):
        found.needs.append(worker)
    if not line.operands:
        found.trouble = "hypercorn is not told which app to serve"
    else:
        _target(found, line.operands[0].removeprefix("asgi:").removeprefix("wsgi:"), "app")
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
        found.trouble = f"hypercorn's configuration {config} is no TOML"
        return "?"
    return str(bind[0] if isinstance(bind, list) and bind else bind)


def _daphne(arguments: list[str], situation: Situation) -> Served:
    line = _read(arguments, frozenset(["--proxy-headers", "--no-server-name", "--help", "--version"]))
    found = Served(needs=["daphne"])
    if not {"-u", "--unix-socket", "--fd", "-e", "--endpoint"} & line.values.keys():
        found.host = line.last("-b", "--bind") or "127.0.0.1"
        found.port = _number(line.last("-p", "--port"), 8000)
    if not line.operands:
        found.trouble = "daphne is not told which app to serve"
    else:
        _target(found, line.operands[0], "application")
    return found


def _granian(arguments: list[str], situation: Situation) -> Served:
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
    line = _read(arguments, plain)
    environment = situation.environment
    found = Served(needs=["granian"], factory="--factory" in line.values)
    found.host = line.last("--host") or environment.get("GRANIAN_HOST", "127.0.0.1")
    found.port = _number(line.last("--port") or environment.get("GRANIAN_PORT"), 8000)
    found.directory = line.last("--working-dir") or ""
    if not line.operands:
        found.trouble = "granian is not told which app to serve"
    else:
        _target(found, line.operands[0], "app")
    return found


def _waitress(arguments: list[str], situation: Situation) -> Served:
    line = _read(arguments, frozenset(), equals_only=True)
    found = Served(needs=["waitress"], factory="--call" in line.values, host="0.0.0.0", port=8080)
    listen = line.last("--listen")
    if listen:
        found.host, found.port = _address(listen)
    found.host = line.last("--host") or found.host
    found.port = _number(line.last("--port"), found.port)
    if "--unix-socket" in line.values:
        found.host, found.port = "", None
    if not line.operands:
        found.trouble = "waitress-serve is not told which app to serve"
    elif ":" not in line.operands[0]:
        found.trouble = f"waitress-serve is given {line.operands[0]!r}, which lacks the name of the app: MODULE:APP"
    else:
        _target(found, line.operands[0], "app")
    return found


# -- frameworks' own servers ------------------------------------------------------------------------------------------


def _flask_like(name: str, arguments: list[str], situation: Situation) -> Served:
    plain = frozenset(
        [
            "--debug",
            "--no-debug",
            "--reload",
            "--no-reload",
            "--debugger",
            "--no-debugger",
            "--with-threads",
            "--without-threads",
            "--version",
            "--help",
        ]
    )
    line = _read(arguments, plain)
    environment, prefix = situation.environment, name.upper()
    found = Served(needs=[name])
    if "run" not in line.operands:
        found.doubt = f"{name} {' '.join(line.operands)} is not looked into".rstrip()
        return found
    found.host = line.last("--host", "-h") or environment.get(f"{prefix}_RUN_HOST", "127.0.0.1")
    found.port = _number(line.last("--port", "-p") or environment.get(f"{prefix}_RUN_PORT"), 5000)
    target = line.last("--app", "-A") or environment.get(f"{prefix}_APP", "")
    if not target:
        for each in ("wsgi", "app"):
            there = situation.exists(f"{each}.py")
            package = situation.exists(f"{each}/__init__.py")
            if there or package:
                target = each
                break
            if there is None or package is None:
                found.doubt = f"which app {name} runs is not known"
                return found
        else:
            found.trouble = f"{name} is not told which app to run, and finds neither wsgi.py nor app.py"
            return found
    file, _, attribute = target.partition(":")
    if file.endswith(".py"):
        found.directory, file = posixpath.dirname(file), posixpath.basename(file).removesuffix(".py")
    elif "/" in file:
        found.directory, file = posixpath.dirname(file), posixpath.basename(file)
    match = re.fullmatch(r"([A-Za-z_]\w*)?(\(.*\))?", attribute)
    found.module = file if re.fullmatch(r"[\w.]+", file) else ""
    if not found.module or match is None:
        found.doubt = f"which app {name} runs is not followed"
    elif match[1]:
        found.application, found.factory = match[1], bool(match[2])
    else:
        found.application = "*"  # whichever instance or factory the module has
    return found


def _flask(arguments: list[str], situation: Situation) -> Served:
    return _flask_like("flask", arguments, situation)


def _quart(arguments: list[str], situation: Situation) -> Served:
    return _flask_like("quart", arguments, situation)


def _fastapi(arguments: list[str], situation: Situation) -> Served:
    plain = frozenset(["--reload", "--no-reload", "--proxy-headers", "--no-proxy-headers", "--help", "--version"])
    line = _read(arguments, plain)
    found = Served(needs=["fastapi_cli", "uvicorn"])
    if line.operands[:1] not in (["run"], ["dev"]):
        found.doubt = "what fastapi does is not looked into"
        return found
    found.host = line.last("--host") or ("0.0.0.0" if line.operands[0] == "run" else "127.0.0.1")
    found.port = _number(line.last("--port"), 8000)
    entry = line.last("--entrypoint", "-e")
    if entry:
        _target(found, entry, "app")
        return found
    usual = [f"{folder}{name}.py" for folder in ("", "app/") for name in ("main", "app", "api")]
    path = line.operands[1] if len(line.operands) > 1 else next((each for each in usual if situation.exists(each)), "")
    if not path:
        unsure = situation.exists("pyproject.toml") is not False or any(
            situation.exists(each) is None for each in usual
        )
        found.doubt = "which app fastapi runs is not known" if unsure else ""
        found.trouble = "" if unsure else "fastapi is not told which app to run, and finds none"
        return found
    if situation.exists(path) is False:
        found.trouble = f"fastapi is to run {path}, which is not in the image"
        return found
    if not path.endswith(".py"):
        found.doubt = f"what of {path} fastapi runs is not followed"
        return found
    # The package that a file is in, as far up as there are __init__.py, is how it is imported.
    directory, name = posixpath.split(path)
    module = name.removesuffix(".py")
    while directory and situation.exists(f"{directory}/__init__.py"):
        directory, name = posixpath.split(directory)
        module = f"{name}.{module}"
    found.directory, found.module = directory, module
    found.application = line.last("--app") or "app|api"
    return found


def _streamlit(arguments: list[str], situation: Situation) -> Served:
    line = _read(arguments, frozenset(["--help", "--version"]))
    found = Served(needs=["streamlit"], host="0.0.0.0")
    environment = situation.environment
    found.port = _number(line.last("--server.port") or environment.get("STREAMLIT_SERVER_PORT"), 8501)
    found.host = line.last("--server.address") or environment.get("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    if situation.exists(".streamlit/config.toml") is not False and "--server.port" not in line.values:
        found.port = None
    if line.operands[:1] != ["run"]:
        found.doubt = "what streamlit does is not looked into"
    elif len(line.operands) > 1:
        found.script = line.operands[1]
    else:
        found.trouble = "streamlit is not told which script to run"
    return found


def _celery(arguments: list[str], situation: Situation) -> Served:
    line = _read(
        arguments,
        frozenset(
            [
                "--beat",
                "-B",
                "--purge",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
                "-E",
                "--task-events",
                "--quiet",
                "-q",
                "--version",
                "--help",
                "--skip-checks",
            ]
        ),
    )
    found = Served(needs=["celery"])
    pool = line.last("-P", "--pool")
    if pool in ("gevent", "eventlet"):
        found.needs.append(str(pool))
    if "flower" in line.operands:
        found.needs.append("flower")
    found.directory = line.last("--workdir") or ""
    target = line.last("-A", "--app") or situation.environment.get("CELERY_APP", "")
    if not target:
        found.doubt = "which app celery works for is not known"
        return found
    if not {"worker", "beat", "flower", "events", "multi"} & {*line.operands}:
        found.doubt = f"celery {' '.join(line.operands)} is not looked into".rstrip()
        return found
    match = re.fullmatch(r"([A-Za-z_][\w.]*)(?::([\w.]+))?", target)
    if match is None:
        found.doubt = f"which app {target!r} means is not followed"
        return found
    found.module, found.application = match[1], match[2] or "*"
    return found


def _worker(module: str) -> Callable[[list[str], Situation], Served]:
    """Workers whose first operand names the module."""

    def read(arguments: list[str], situation: Situation) -> Served:
        line = _read(arguments, frozenset(["--watch", "--reload", "--use-gevent"]))
        operands = [each for each in line.operands if each not in ("worker", "run")]
        found = Served(needs=[module])
        if not operands or line.values:
            found.doubt = f"what {module} works for is not followed"
            return found
        name, _, attribute = operands[0].partition(":")
        if module == "arq":
            name, _, attribute = operands[0].rpartition(".")
        found.module, found.application = name, attribute or "*"
        return found

    return read


_SERVERS: dict[str, Callable[[list[str], Situation], Served]] = {
    "uvicorn": _uvicorn,
    "gunicorn": _gunicorn,
    "hypercorn": _hypercorn,
    "daphne": _daphne,
    "granian": _granian,
    "waitress-serve": _waitress,
    "waitress": _waitress,
    "flask": _flask,
    "quart": _quart,
    "fastapi": _fastapi,
    "streamlit": _streamlit,
    "celery": _celery,
    "dramatiq": _worker("dramatiq"),
    "arq": _worker("arq"),
    "taskiq": _worker("taskiq"),
}
