"""supervisord and honcho: the programs that their files list."""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import dataclass

from smoke.static.model.filesystem import DoubtCause
from smoke.static.model.scene import Scene
from smoke.static.model.servers.options import read_line

_PLACES = ("supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
_PLAIN = frozenset(["-n", "--nodaemon", "-s", "--silent", "-t", "--strip_ansi", "-k", "--nocleanup", "-m", "--minfds"])
_OPEN = re.compile(r"[$%`|&;<>*?~]")
"""What a shell or supervisord itself would fill in: such commands are not followed."""
MAX_PROGRAMS = 50


@dataclass(frozen=True)
class Supervised:
    """What is to be kept running."""

    programs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names and words of those that can be followed."""
    trouble: str = ""


def programs_of(name: str, words: tuple[str, ...], scene: Scene) -> Supervised | None:
    """What a program of this kind keeps running; none for any other, and where it cannot be told."""
    if name == "supervisord":
        return _supervised(words, scene)
    if name == "honcho" and words[1:2] == ("start",) and len(words) == 2:
        return _procfile(scene)
    return None


def _supervised(words: tuple[str, ...], scene: Scene) -> Supervised | None:
    line = read_line(words[1:], _PLAIN)
    told = line.last("-c", "--configuration")
    path = told or next((each for each in _PLACES if scene.exists(each)), "")
    if told and _absent(scene, told):
        return Supervised(trouble=f"supervisord is to read {told}, which is not in the image")
    text = scene.read(path) if path else None
    if text is None:
        return None
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(" ;",))
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    found = []
    for section in parser.sections()[:MAX_PROGRAMS]:
        kind, _, program = section.partition(":")
        command = parser.get(section, "command", fallback="")
        never = parser.get(section, "autostart", fallback="true").lower() in ("false", "0", "no", "off")
        moved = parser.has_option(section, "directory") or parser.has_option(section, "user")
        if kind == "program" and not never and not moved and (split := _words(command)):
            found.append((program, split))
    return Supervised(tuple(found))


def _absent(scene: Scene, path: str) -> bool:
    """Whether a file is surely not there: no base of the catalog brings supervisord, or a file of its; Debian's
    package brings the one of the usual place alone."""
    files, place = scene.state.files, scene.state.path(path)
    sure = (DoubtCause.BASE,) if place in _PLACES else (DoubtCause.BASE, DoubtCause.PACKAGES)
    unsure = any(each.cause not in sure for each in files.every_doubt(place))
    return files.find(place) is None and not unsure and scene.base is not None


def _procfile(scene: Scene) -> Supervised | None:
    if scene.exists("Procfile") is False:
        return Supervised(trouble="honcho is to read Procfile, which is not in the image")
    lines = (scene.read("Procfile") or "").split("\n")[:MAX_PROGRAMS]
    matches = (re.match(r"([\w-]+):\s*(\S.*)$", line) for line in lines)
    return Supervised(tuple((each[1], words) for each in matches if each is not None and (words := _words(each[2]))))


def _words(command: str) -> tuple[str, ...]:
    if _OPEN.search(command):
        return ()
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()
