"""supervisord and honcho: the programs that their files list."""

from __future__ import annotations

import configparser
import re
import shlex

from msgspec import Struct

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.scene import Scene
from smoke.static.model.servers.options import read_line
from smoke.static.regex import regex

_PLACES = ("supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
_PLAIN = frozenset(["-n", "--nodaemon", "-s", "--silent", "-t", "--strip_ansi", "-k", "--nocleanup", "-m", "--minfds"])
_OPEN = regex(r"[$%`|&;<>*?~]")
"""What a shell or supervisord itself would fill in: such commands are not followed."""
MAX_PROGRAMS = 50


_WRITTEN = ("stdout_logfile", "stderr_logfile", "logfile", "pidfile", "file")
"""Settings that name a file which supervisord makes."""


class SupervisedProgram(Struct, frozen=True):
    """One program of several."""

    name: str
    words: tuple[str, ...]
    directory: str = ""
    """Where it is started; empty where nothing says."""


class Supervised(Struct, frozen=True):
    """What is to be kept running."""

    programs: tuple[SupervisedProgram, ...] = ()
    """Those that can be followed."""
    trouble: str = ""
    writes: tuple[str, ...] = ()
    """Files that are made before, absolute."""


def programs_of(name: str, words: tuple[str, ...], scene: Scene) -> Supervised | None:
    """What a program of this kind keeps running; none for any other, and where it cannot be told."""
    if name == "supervisord":
        return _supervised(words, scene)
    if name == "honcho" and "start" in words[1:]:
        return _procfile(words, scene)
    return None


def configuration_of(words: tuple[str, ...], scene: Scene) -> str:
    """The file that supervisord reads: the one that it is told, or the first that is there; empty if none is."""
    told = read_line(words[1:], _PLAIN).last("-c", "--configuration")
    return told or next((each for each in _PLACES if scene.exists(each)), "")


def _supervised(words: tuple[str, ...], scene: Scene) -> Supervised | None:
    path = configuration_of(words, scene)
    if path in words and _absent(scene, path):
        return Supervised(trouble=f"supervisord is to read {path}, which is not in the image")
    text = scene.read(path) if path else None
    if text is None:
        return None
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(" ;",))
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    found, writes = [], list[str]()
    for section in parser.sections()[:MAX_PROGRAMS]:
        kind, _, program = section.partition(":")
        settings = {key: value.partition(" ;")[0].strip() for key, value in parser.items(section)}
        if kind not in ("program", "supervisord", "fcgi-program", "eventlistener", "unix_http_server"):
            continue
        if trouble := _misplaced(program or kind, settings, scene):
            return Supervised(trouble=trouble)
        writes += [place for key in _WRITTEN if re.fullmatch(r"/[\w./-]+", place := settings.get(key, ""))]
        never = settings.get("autostart", "true").lower() in ("false", "0", "no", "off")
        split = _words(settings.get("command", ""))
        if kind == "program" and not never and "user" not in settings and split:
            found.append(SupervisedProgram(program, split, settings.get("directory", "")))
    return Supervised(tuple(found), writes=tuple(each for each in writes if not each.startswith("/dev/")))


def _misplaced(name: str, settings: dict[str, str], scene: Scene) -> str:
    """What supervisord refuses of a section: a user, or a directory, that is not there."""
    user, directory = settings.get("user", ""), settings.get("directory", "")
    if scene.lacks_user(user):
        return f"supervisord is to run {name} as the user {user}, whom the image does not have"
    if directory.startswith("/") and not _OPEN.search(directory) and scene.exists(directory) is False:
        return f"supervisord is to start {name} in {directory}, which is not in the image"
    return ""


def _absent(scene: Scene, path: str) -> bool:
    """Whether a file is surely not there: no base of the catalog brings supervisord, or a file of its; Debian's
    package brings the one of the usual place alone."""
    files, place = scene.state.files, scene.state.path(path)
    sure = (DoubtCause.BASE,) if place in _PLACES else (DoubtCause.BASE, DoubtCause.PACKAGES)
    unsure = any(each.cause not in sure for each in files.every_doubt(place))
    return files.find(place) is None and not unsure and scene.base is not None


def _procfile(words: tuple[str, ...], scene: Scene) -> Supervised | None:
    line = read_line(words[1:], frozenset(["--no-prefix"]))
    path = line.last("-f", "--procfile") or "Procfile"
    if "/" in path or {"-d", "--app-root"} & line.values.keys():
        return None
    if scene.exists(path) is False:
        return Supervised(trouble=f"honcho is to read {path}, which is not in the image")
    wanted = line.operands[line.operands.index("start") + 1 :]
    lines = (scene.read(path) or "").split("\n")[:MAX_PROGRAMS]
    matches = [match for each in lines if (match := re.match(r"([\w-]+):\s*(\S.*)$", each)) is not None]
    listed = {each[1] for each in matches}
    if odd := next((each for each in wanted if listed and each not in listed and "$" not in each), ""):
        return Supervised(trouble=f"honcho is to start {odd}, which {path} does not have")
    programs = [(each[1], _words(each[2])) for each in matches if not wanted or each[1] in wanted]
    return Supervised(tuple(SupervisedProgram(name, words) for name, words in programs if words))


def _words(command: str) -> tuple[str, ...]:
    if _OPEN.search(command):
        return ()
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()
