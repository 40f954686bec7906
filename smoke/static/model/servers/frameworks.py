"""Frameworks' own servers: flask, quart, fastapi, streamlit."""

from __future__ import annotations

import posixpath
import re
import tomllib

from smoke.static.model.servers.options import Line, foreign_to, read_line
from smoke.static.model.servers.served import Served, aim, number
from smoke.static.model.servers.situation import Situation

_SWITCHES = frozenset(
    [
        *["--debug", "--no-debug", "--reload", "--no-reload", "--debugger", "--no-debugger"],
        *["--with-threads", "--without-threads", "--version", "--help"],
    ]
)
"""Options without a value."""


def _beside(situation: Situation) -> str | None:
    """The module that is taken where none is named; none when that cannot be told, empty when there is none."""
    for each in ("wsgi", "app"):
        there, package = situation.exists(f"{each}.py"), situation.exists(f"{each}/__init__.py")
        if there or package:
            return each
        if there is None or package is None:
            return None
    return ""


def _flask_like(name: str, arguments: list[str], situation: Situation) -> Served:
    line = read_line(arguments, _SWITCHES)
    environment, prefix = situation.environment, name.upper()
    found = Served(needs=[name])
    if "run" not in line.operands:
        found.doubt = f"{name} {' '.join(line.operands)} is not looked into".rstrip()
        return found
    if trouble := foreign_to(name, line.values):
        found.trouble = trouble
        return found
    found.host = line.last("--host", "-h") or environment.get(f"{prefix}_RUN_HOST", "127.0.0.1")
    found.port = number(line.last("--port", "-p") or environment.get(f"{prefix}_RUN_PORT"), 5000)
    target = line.last("--app", "-A") or environment.get(f"{prefix}_APP", "")
    if not target:
        beside = _beside(situation)
        if beside is None:
            found.doubt = f"which app {name} runs is not known"
            return found
        if not beside:
            found.trouble = f"{name} is not told which app to run, and finds neither wsgi.py nor app.py"
            return found
        target = beside
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


def flask(arguments: list[str], situation: Situation) -> Served:
    return _flask_like("flask", arguments, situation)


def quart(arguments: list[str], situation: Situation) -> Served:
    return _flask_like("quart", arguments, situation)


def fastapi(arguments: list[str], situation: Situation) -> Served:
    plain = frozenset(["--reload", "--no-reload", "--proxy-headers", "--no-proxy-headers", "--help", "--version"])
    line = read_line(arguments, plain)
    found = Served(needs=["fastapi_cli", "uvicorn"])
    if line.operands[:1] not in (["run"], ["dev"]):
        found.doubt = "what fastapi does is not looked into"
        return found
    found.host = line.last("--host") or ("0.0.0.0" if line.operands[0] == "run" else "127.0.0.1")
    found.port = number(line.last("--port"), 8000)
    entry = line.last("--entrypoint", "-e")
    if entry:
        aim(found, entry, "app")
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
    path = path.rstrip("/").removesuffix("/__init__.py")
    if not path.endswith(".py") and not situation.exists(f"{path}/__init__.py"):
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


def _configured(found: Served, line: Line, text: str | None) -> None:
    """What Streamlit's configuration says of where to listen, if no option does."""
    try:
        server = tomllib.loads(text or "").get("server", {}) if text is not None else None
    except tomllib.TOMLDecodeError:
        server = None
    if line.last("--server.port") is None:
        told = server.get("port", found.port) if isinstance(server, dict) else None
        found.port = told if isinstance(told, int) else None
    if line.last("--server.address") is None and isinstance(server, dict) and isinstance(server.get("address"), str):
        found.host = server["address"]


def streamlit(arguments: list[str], situation: Situation) -> Served:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments  # what stands behind is the script's
    line = read_line(own, frozenset(["--help", "--version"]))
    found = Served(needs=["streamlit"], host="0.0.0.0")
    environment = situation.environment
    found.port = number(line.last("--server.port") or environment.get("STREAMLIT_SERVER_PORT"), 8501)
    found.host = line.last("--server.address") or environment.get("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    if (held := situation.exists(".streamlit/config.toml")) is not False:
        _configured(found, line, situation.read(".streamlit/config.toml") if held else None)
    if line.operands[:1] != ["run"]:
        found.doubt = "what streamlit does is not looked into"
    elif trouble := foreign_to("streamlit", line.values):
        found.trouble = trouble
    elif len(line.operands) > 1:
        found.script = line.operands[1]
    else:
        found.trouble = "streamlit is not told which script to run"
    return found


READERS = {each.__name__: each for each in (flask, quart, fastapi, streamlit)}
"""Readers of their command lines, by the names that the catalog has for them."""
