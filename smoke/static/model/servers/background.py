"""Programs that go on in the background and end the process that the container lives by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.scene import Scene
from smoke.static.model.servers.options import read_line
from smoke.static.model.supervised import configuration_of

_SWITCHES = {
    "gunicorn": ("-D", "--daemon"),
    "celery": ("-D", "--detach"),
    "uwsgi": ("--daemonize", "-d", "--daemonize2"),
    "redis-server": ("--daemonize",),
    "mongod": ("--fork",),
}
"""Options that send a program into the background."""
_DEBIANS = "/etc/supervisor/supervisord.conf"
_ENDS = "{} goes into the background, and the container ends with the process that started it"


def detached(name: str, words: Sequence[str], scene: Scene) -> str:
    """Why a container ends as soon as it is started, though its program goes on; empty when nothing speaks for that."""
    told = next((word for word in words if word.partition("=")[0] in _SWITCHES.get(name, ())), "")
    if told and not (name == "redis-server" and "no" in words):
        return f"{_ENDS.format(name)}: {told} asks for it"
    if name == "gunicorn":
        return _configured(words, scene)
    if name in ("cron", "crond"):
        stays = any(re.fullmatch(r"-[a-zA-Z]*[fn][a-zA-Z]*", word) for word in words)
        return "" if stays else f"{_ENDS.format(name)}: it takes -f"
    if name in ("apache2ctl", "apachectl") and words in (("start",), ("-k", "start")):
        return f"{_ENDS.format('Apache')}: it takes -D FOREGROUND"
    if name == "supervisord":
        return _supervisor(words, scene)
    return _nginx(words, scene) if name == "nginx" else ""


def _supervisor(words: Sequence[str], scene: Scene) -> str:
    """supervisord does unless it is told otherwise, by -n or in its configuration or what that includes."""
    if {"-n", "--nodaemon", "-v", "--version", "-h", "--help"} & {*words}:
        return ""
    path = configuration_of(("supervisord", *words), scene)
    texts = [scene.read(path) if path else None]
    if path == _DEBIANS and "supervisor" in scene.state.packages and texts == [None]:
        # Debian's own file says nothing of it, and includes what is beside it.
        inside = scene.state.files.below("/etc/supervisor/conf.d")
        texts = ["", *(scene.read(each) for each, entry in inside if entry.kind != "directory")]
    if any(
        text is None or re.search(r"(?im)^\s*(?:nodaemon\s*[=:]\s*(?:true|yes|on|1)\b|\[include\])", text)
        for text in texts
    ):
        return ""
    return f"{_ENDS.format('supervisord')}: it takes -n, or nodaemon=true"


def _configured(words: Sequence[str], scene: Scene) -> str:
    """gunicorn's configuration in Python may ask for it."""
    path = read_line(words, frozenset()).last("-c", "--config") or "gunicorn.conf.py"
    text = scene.read(path.removeprefix("file:"))
    asked = text is not None and re.search(r"(?m)^daemon[ \t]*=[ \t]*True\b", text) is not None
    return f"{_ENDS.format('gunicorn')}: {path} sets daemon" if asked and text.count("daemon") == 1 else ""  # type: ignore[union-attr]


def _nginx(words: Sequence[str], scene: Scene) -> str:
    """nginx does unless it is told otherwise, by -g or in its configuration."""
    if any(word not in ("-q", "-e", "stderr", "/dev/stdout", "/dev/stderr") for word in words):
        return ""
    files = scene.state.files
    if any(
        each.cause not in (DoubtCause.BASE, DoubtCause.PACKAGES) for each in files.every_doubt("/etc/nginx/nginx.conf")
    ):
        return ""
    for path, entry in files.below("/etc/nginx"):
        if entry.kind != "directory" and entry.line:
            text = scene.read(path)
            if text is None or re.search(r"(?m)^[ \t]*daemon[ \t]+off", text):
                return ""
    return f"{_ENDS.format('nginx')}: it takes -g 'daemon off;'"
