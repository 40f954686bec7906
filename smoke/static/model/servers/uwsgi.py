"""uWSGI: its command line, and the .ini file that mostly has all of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from smoke.static.model.servers.served import LOOPBACK, Served, address, number
from smoke.static.model.servers.situation import Situation, no_account

_SHORT = {
    **{"-w": "module", "-s": "socket", "-H": "home", "-i": "ini", "-p": "processes", "-b": "buffer-size"},
    **{"-x": "xml", "-y": "yaml", "-j": "json", "-d": "daemonize", "-l": "listen", "-z": "socket-timeout"},
}
_VALUED = frozenset(
    [
        *[
            "module",
            "wsgi",
            "wsgi-file",
            "file",
            "callable",
            "chdir",
            "chdir2",
            "home",
            "virtualenv",
            "venv",
            "uid",
            "gid",
        ],
        *[
            "socket",
            "uwsgi-socket",
            "http",
            "http-socket",
            "https",
            "ini",
            "yaml",
            "json",
            "xml",
            "processes",
            "workers",
        ],
        *[
            "threads",
            "pidfile",
            "logto",
            "logto2",
            "daemonize",
            "stats",
            "pythonpath",
            "pp",
            "plugin",
            "plugins",
            "mount",
        ],
        *["listen", "harakiri", "buffer-size", "master-fifo", "chmod-socket", "static-map", "env", "max-requests"],
        *[
            "paste",
            "ini-paste",
            "attach-daemon",
            "py-autoreload",
            "set",
            "socket-timeout",
            "emperor",
            "manage-script-name",
        ],
    ]
)
"""Options with a value; all others are taken for switches."""
_SOCKETS = ("socket", "uwsgi-socket", "http-socket", "http", "https")
_OPEN = (
    "paste",
    "ini-paste",
    "emperor",
    "mount",
    "yaml",
    "json",
    "xml",
    "pythonpath",
    "pp",
    "plugin",
    "plugins",
    "set",
)
"""Options by which what is served is decided elsewhere, or by another Python."""
_MOUNTED = ("/etc/", "/config/", "/run/", "/mnt/", "/data/")
"""Where files are often mounted to."""
Settings = dict[str, list[str]]


def uwsgi(arguments: list[str], situation: Situation) -> Served:
    found = Served()
    settings = _settings(arguments, situation, found)

    def last(*names: str) -> str:
        values = [each for name in names for each in settings.get(name, ())]
        return values[-1] if values and not _is_magic(values[-1]) else ""

    if found.trouble or found.doubt:
        return found
    if log := last("daemonize"):
        found.trouble = f"uwsgi goes into the background (daemonize = {log}), and the container ends with it"
        return found
    if situation.is_root and (nobody := no_account("uwsgi", last("uid"), last("gid"), situation)):
        found.trouble = nobody
        return found
    found.directory = last("chdir")
    if found.directory and situation.exists(found.directory) is False:
        found.trouble = f"uwsgi changes to {found.directory}, which is not in the image"
        return found
    found.home = last("home", "virtualenv", "venv")
    if found.home and situation.exists(found.home) is False:
        found.trouble = f"uwsgi is to use the environment {found.home}, which is not in the image"
        return found
    _listening(found, [each for name in _SOCKETS for each in settings.get(name, ())])
    found.writes += [each for each in (last("pidfile"), last("logto", "logto2")) if each]
    _aimed(found, last("module", "wsgi"), last("wsgi-file", "file"), last("callable"), situation)
    if any(name in settings for name in _OPEN) and not found.trouble:
        found.module, found.doubt = "", "what uwsgi serves is decided by its other options"
    return found


def _settings(arguments: Sequence[str], situation: Situation, found: Served) -> Settings:
    """All options by their long names, those of the files that are named among them."""
    settings: Settings = {}
    files: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            if not word.endswith(".ini"):
                found.doubt = f"what uwsgi makes of {word} is not known here"
            files += [word] if word.endswith(".ini") else []
            continue
        name = name.lstrip("-") if word.startswith("--") else _SHORT.get(name, name.lstrip("-"))
        if name in _VALUED and not equals:
            value = next(words, "")
        files += [value] if name == "ini" else []
        settings.setdefault(name, []).append(value)
    for file in files:
        text = situation.read(file)
        if text is None:
            absent = situation.exists(file) is False and "$" not in file and not file.startswith(_MOUNTED)
            found.trouble = f"uwsgi is to read {file}, which is not in the image" if absent else ""
            found.doubt = "" if absent else f"uwsgi's configuration {file} is not known"
            return settings
        for name, value in _lines(text):
            settings.setdefault(name, []).append(value)
            if name in ("ini", "include") or re.match(r"(?:if|for|end)(?:-|$)", name):
                found.doubt = f"{file} is decided as it is read"
    return settings


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of the section [uwsgi]."""
    inside = False
    for line in text.splitlines()[:2_000]:
        stripped = line.strip()
        if stripped.startswith("["):
            inside = stripped == "[uwsgi]"
        elif inside and "=" in stripped and not stripped.startswith((";", "#")):
            name, _, value = stripped.partition("=")
            yield name.strip(), value.strip()


def _is_magic(value: str) -> bool:
    """Whether uWSGI itself fills something in."""
    return any(letter in value for letter in "%$@")


def _listening(found: Served, values: list[str]) -> None:
    """Sockets: files that are made, and where it listens, if that is one address."""
    plain = [each for each in values if not _is_magic(each)]
    found.writes += [each for each in plain if each.startswith("/")]
    told = [each for each in plain if re.fullmatch(r"[\w.\[\]-]*:\d+|\d+", each)]
    reached = [each for each in told if address(each)[0] not in LOOPBACK]
    if len(values) == len(plain) and told and (reached or len(told) == len(values)):
        found.host, found.port = address((reached or told)[0])
        found.port = number(told[0].rpartition(":")[2], None) if len(told) == 1 else None


def _aimed(found: Served, module: str, file: str, name: str, situation: Situation) -> None:
    """The module that is loaded, and the app in it."""
    if file:
        place = file if file.startswith("/") else posixpath.join(found.directory, file)
        if situation.exists(place) is False:
            found.trouble = f"uwsgi is to load {place}, which is not in the image"
        elif "/" in file.removeprefix("./") or not re.fullmatch(r"(?:\./)?[A-Za-z_]\w*\.py", file):
            found.doubt = f"where uwsgi looks for what {file} imports is not followed"
        else:
            found.module, found.application = posixpath.basename(file).removesuffix(".py"), name or "application"
        return
    match = re.fullmatch(r"([A-Za-z_][\w.]*)(?::([A-Za-z_]\w*)(\(.*\))?)?", module)
    if match is None:
        found.doubt = "what uwsgi serves is not known"
        return
    found.module, found.application = match[1], match[2] or name or "application"
    found.factory = bool(match[3])


READERS = {"uwsgi": uwsgi}
"""As the catalog looks it up."""
