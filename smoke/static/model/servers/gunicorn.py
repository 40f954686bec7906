"""gunicorn: its options, its configuration in Python, its workers."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from smoke.static.model.servers.options import read_line, strange
from smoke.static.model.servers.served import Served, address, aim
from smoke.static.model.servers.situation import Situation, missing_file, no_account
from smoke.static.python.nodes import below

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


_OF_OTHERS = frozenset(
    ["--host", "--port", "--loop", "--http", "--lifespan", "--factory", "--proxy-headers", "--app-dir", "--root-path"]
)
"""Options of uvicorn that gunicorn does not have."""


_SETTINGS = ("bind", "wsgi_app", "chdir", "worker_class", "user", "group", "accesslog", "errorlog", "pidfile")


def gunicorn(arguments: list[str], situation: Situation) -> Served:
    given = situation.environment.get("GUNICORN_CMD_ARGS", "").split()
    line, earlier = read_line(arguments, _GUNICORN_PLAIN), read_line(given, _GUNICORN_PLAIN)
    found = Served(needs=["gunicorn"])
    settings = _gunicorn_settings(found, line.last("-c", "--config") or earlier.last("-c", "--config"), situation)

    def setting(key: str, *options: str) -> str | None:
        value = line.last(*options) or earlier.last(*options)
        return value if value is not None else settings.get(key)

    told = line.last("-c", "--config") or earlier.values or situation.exists("gunicorn.conf.py") is not False
    elsewhere = {"TMPDIR", "TEMP", "TMP"} & situation.environment.keys()
    found.temporary = not (told or elsewhere or line.last("--worker-tmp-dir"))
    found.directory = setting("chdir", "--chdir") or ""
    if found.directory == "?":
        found.directory, found.doubt = "", "where gunicorn changes to is decided as its configuration runs"
    port = situation.environment.get("PORT", "")
    bind = setting("bind", "-b", "--bind") or (f"0.0.0.0:{port}" if port else "127.0.0.1:8000")
    found.host, found.port = address(bind) if bind != "?" else ("", None)
    worker = setting("worker_class", "-k", "--worker-class") or ""
    if worker in _WORKERS:
        found.needs.append(_WORKERS[worker])
    elif "." in worker and re.fullmatch(r"[\w.]+", worker):
        found.also.append(worker.rpartition(".")[0])
    if odd := strange(line.values, frozenset(), _OF_OTHERS):
        found.trouble = f"gunicorn has no option {odd}: it ends with a message about its usage"
        return found
    files = (line.last(each) for each in ("--log-config", "--certfile", "--keyfile", "--ca-certs"))
    if absent := missing_file("gunicorn", files, situation):
        found.trouble = absent
        return found
    if nobody := no_account("gunicorn", setting("user", "-u", "--user"), setting("group", "-g", "--group"), situation):
        found.trouble = nobody
        return found
    logs = [setting("accesslog", "--access-logfile"), setting("errorlog", "--error-logfile", "--log-file")]
    logs += [setting("pidfile", "-p", "--pid"), *_made(bind, line.last("--worker-tmp-dir") or "")]
    found.writes += [each for each in logs if each and each not in ("-", "?")]
    target = line.operands[0] if line.operands else settings.get("wsgi_app", "")
    if {"--paste", "--paster"} & line.values.keys() or target == "?":
        found.doubt = "which app gunicorn serves is decided by a file"
    elif not target:
        found.trouble = "" if found.doubt else "gunicorn is not told which app to serve"
    else:
        aim(found, target, "application")
    return found


def _made(bind: str, temporary: str) -> list[str]:
    """Files that it makes as it starts: its socket, and one for the heartbeat of each worker."""
    socket = [bind.removeprefix("unix:")] if bind.startswith("unix:/") else []
    return socket + ([f"{temporary}/worker"] if temporary.startswith("/") else [])


def _gunicorn_settings(found: Served, config: str | None, situation: Situation) -> dict[str, str]:
    path = config or "gunicorn.conf.py"
    if path.startswith("python:"):
        module = path.removeprefix("python:")
        found.also.append(module)
        places = (f"{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py"))
        held = next(filter(None, map(situation.read, places)), "")
        return _python_settings(held, _SETTINGS) if held else {"bind": "?"}
    path = path.removeprefix("file:")
    text = situation.read(path)
    if text is None:
        if config is not None and situation.exists(path) is False:
            found.trouble = f"gunicorn's configuration {path} is not in the image"
        elif config is not None:
            found.doubt = f"gunicorn's configuration {path} is not known"
        return {"bind": "?"} if config is not None else {}
    return _python_settings(text, _SETTINGS)


def _python_settings(text: str, keys: Sequence[str]) -> dict[str, str]:
    """Constants that a configuration in Python sets; `?` for what it works out."""
    try:
        parsed = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return dict.fromkeys(keys, "?")
    found: dict[str, str] = {}
    if re.search(r"\b(?:locals|globals|exec)\(|import \*", text):
        return dict.fromkeys((key for key in keys if key != "chdir"), "?")
    for node in below(parsed):
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


READERS = {"gunicorn": gunicorn}
"""As the catalog looks it up."""
