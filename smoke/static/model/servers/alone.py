"""Programs that serve something of their own, at loopback unless they are told otherwise."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from smoke.static.model.servers.options import read_line
from smoke.static.model.servers.served import Served, address, aim, number
from smoke.static.model.servers.situation import Situation


class _Kind(Struct, frozen=True):
    """How a program is told where to listen, by its own documentation (November 2026)."""

    needs: str
    """The module that it comes with."""
    commands: frozenset[str] = frozenset()
    """Words of which one makes it serve; empty: it always does."""
    host: tuple[str, ...] = ("--host", "-h")
    port: tuple[str, ...] = ("--port", "-p")
    default: int = 8000
    variables: tuple[str, ...] = ()
    """Variables that may say where."""
    plain: frozenset[str] = frozenset()
    """Options without a value."""
    files: tuple[str, ...] = ()
    """Configuration that may say where."""
    open: tuple[str, ...] = ()
    """Options by which it listens everywhere, or at no address."""


_COMMON = frozenset({"--help", "--version", "--reload", "--debug", "--dev", "-v", "--verbose", "-q", "--quiet"})
_KINDS = {
    "mkdocs": _Kind(
        "mkdocs", frozenset({"serve"}), ("-a", "--dev-addr"), (), files=("mkdocs.yml", "mkdocs.yaml"),
        plain=frozenset({"--livereload", "--no-livereload", "--dirty", "--strict", "-s", "-o", "--open", "--clean"}),
    ),
    "mlflow": _Kind("mlflow", frozenset({"server", "ui"}), default=5000, variables=("MLFLOW_HOST",)),
    "datasette": _Kind(
        "datasette", default=8001, files=("datasette.yaml", "settings.json"), open=("--uds", "--get"),
        plain=frozenset({"--memory", "--cors", "--immutable", "--nolock", "--crossdb", "--root", "--pdb", "-o"}),
    ),
    "tensorboard": _Kind("tensorboard", host=("--host",), port=("--port",), default=6006, open=("--bind_all",)),
    "dagster-webserver": _Kind("dagster_webserver", default=3000),
    "chainlit": _Kind(
        "chainlit", frozenset({"run"}), ("--host",), ("--port",), variables=("CHAINLIT_HOST",),
        plain=frozenset({"-w", "--watch", "-h", "--headless", "-d", "--ci"}),
    ),
    "marimo": _Kind("marimo", frozenset({"run", "edit"}), ("--host",), default=2718, plain=frozenset({"--headless"})),
}  # fmt: skip


def _reader(name: str) -> Callable[[list[str], Situation], Served]:
    kind = _KINDS[name]

    def read(arguments: list[str], situation: Situation) -> Served:
        line = read_line(arguments, kind.plain | _COMMON | {*kind.open})
        found = Served(kind.needs, "*", needs=[kind.needs])
        if kind.commands and not kind.commands & {*line.operands}:
            found.doubt = f"what {name} does is not looked into"
            return found
        told = line.last(*kind.host)
        elsewhere = any(each in situation.environment for each in kind.variables) or any(
            situation.exists(each) is not False and _says_where(situation.read(each)) for each in kind.files
        )
        if told is None and (elsewhere or {*kind.open} & line.values.keys()):
            return found
        if kind.port:
            found.host, found.port = told or "127.0.0.1", number(line.last(*kind.port), kind.default)
        else:
            found.host, found.port = address(told or f"127.0.0.1:{kind.default}")
        return found

    return read


def _says_where(text: str | None) -> bool:
    """Whether a configuration may say where to listen; so may one that is not known."""
    return text is None or any(word in text for word in ("dev_addr", '"host"', "INHERIT"))


def sanic(arguments: list[str], situation: Situation) -> Served:
    """Sanic's own command: it is given an app, or a factory."""
    switches = ["--dev", "-d", "--debug", "--factory", "--simple", "-s", "--fast", "--single-process", "--no-motd"]
    line = read_line(arguments, frozenset([*switches, "--access-logs", "--no-access-logs", "-r", *_COMMON]))
    found = Served(needs=["sanic"], factory="--factory" in line.values)
    if not {"-u", "--unix"} & line.values.keys():
        told = situation.environment.get("SANIC_SERVER_HOST", "127.0.0.1")
        found.host = line.last("-H", "--host") or told
        found.port = number(line.last("-p", "--port"), 8000)
    if line.operands and ":" in line.operands[0]:
        aim(found, line.operands[0], "app")
    else:
        found.doubt = "which app sanic serves is not followed"
    return found


def litestar(arguments: list[str], situation: Situation) -> Served:
    """Litestar's own command."""
    switches = ["--reload", "-r", "--debug", "-d", "--pdb", "-P", *_COMMON]
    line = read_line(arguments, frozenset(switches))
    environment = situation.environment
    found = Served(needs=["litestar"])
    if "run" not in line.operands:
        found.doubt = "what litestar does is not looked into"
        return found
    if not {"--uds", "--fd", "-F", "-U"} & line.values.keys():
        found.host = line.last("--host", "-H") or environment.get("LITESTAR_HOST", "127.0.0.1")
        found.port = number(line.last("--port", "-p") or environment.get("LITESTAR_PORT"), 8000)
    target = line.last("--app") or environment.get("LITESTAR_APP", "")
    if target:
        aim(found, target, "app")
    else:
        found.doubt = "which app litestar runs is not known"
    return found


def jupyter(arguments: list[str], situation: Situation) -> Served:
    """Jupyter's servers, which many files of their own and variables may tell where to listen."""
    line = read_line(arguments, frozenset(["--no-browser", "--allow-root", "--debug", "-y", "--autoreload", *_COMMON]))
    found = Served("jupyter_core", "*")
    told = line.last("--ip", "--ServerApp.ip", "--NotebookApp.ip")
    homes = (situation.environment.get("HOME", "/root"), "/etc", "/usr/local/etc", "/root")
    names = [f"jupyter_{kind}_config.{end}" for kind in ("server", "lab", "notebook") for end in ("py", "json")]
    places = [f"{home}/{below}/{name}" for home in homes for below in (".jupyter", "jupyter") for name in names]
    elsewhere = any(name.startswith("JUPYTER") for name in situation.environment) or "--config" in line.values
    if told is None and (elsewhere or any(map(situation.exists, (*places, *names)))):
        return found
    found.host, found.port = told or "127.0.0.1", number(line.last("--port"), 8888)
    return found


def _jupyter(arguments: list[str], situation: Situation) -> Served:
    """`jupyter lab` and its kin."""
    if arguments[:1] and arguments[0] in ("lab", "notebook", "server"):
        return jupyter(arguments[1:], situation)
    return Served(doubt="what jupyter does is not looked into")


READERS = {
    **{name: _reader(name) for name in _KINDS},
    "sanic": sanic,
    "litestar": litestar,
    "jupyter": _jupyter,
    "jupyter_server": jupyter,
}
"""Readers of the command lines of those that need no app, and of two frameworks, by the names of the catalog."""
