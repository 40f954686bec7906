"""What the common commands of a RUN leave behind in the stage."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from smoke.static.model import native
from smoke.static.model.accounts import add_group, add_user, remove_group, remove_user, rename_user
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.downloads import FETCHERS, UNPACKERS, fetched, unpacked
from smoke.static.model.editing import edited, edited_among, edited_to_unix, patched
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.installers import catalog
from smoke.static.model.node_modules import installed
from smoke.static.model.operands import read_operands
from smoke.static.model.stage import Stage
from smoke.static.model.swept import swept
from smoke.static.model.system_packages import MANAGERS, follow_packages
from smoke.static.regex import regex

_HARMLESS = frozenset(
    [
        *["apt-get", "apt", "apk", "dpkg", "yum", "dnf", "microdnf", "update-ca-certificates", "ldconfig", "echo"],
        *["true", ":", "set", "export", "ls", "cat", "test", "[", "which", "env", "uname", "date", "sleep", "find"],
        *["strip", "grep", "pwd", "id", "printf", "exit", "apt-mark", "apt-cache", "dpkg-query", "apt-key", "head"],
        *["tail", "wc", "sort", "uniq", "cut", "tr", "awk", "xargs", "hash", "command", "shopt", "ulimit"],
        *["umask", "trap", "wait", "kill", "read", "shift", "unset", "sync", "locale-gen", "dpkg-reconfigure"],
        *[
            "sha256sum",
            "sha512sum",
            "md5sum",
            "gpg",
            "openssl",
            "su-exec",
            "gosu",
            "setcap",
            "chsh",
            "passwd",
            "basename",
        ],
        *["dirname", "readlink", "realpath", "stat", "du", "df", "ps", "file", "diff", "cmp", "expr", "seq", "nproc"],
        *[
            "getent",
            "whoami",
            "groups",
            "hostname",
            "mktemp",
            "jq",
            "getconf",
            "ldd",
            "scanelf",
            "yes",
            "false",
        ],
        *["groupdel", "delgroup", "localedef", "fc-cache", "crontab", "type"],
    ]
)
"""Commands that leave no file that a container would look for."""


_REACH = ("/tmp", "/opt", "/usr/local", "/var", "/srv", "/home")
"""Where a program of root's that is not known may write, besides its working directory and what it is given."""


_PYTHON = regex(r"(?:.*/)?python(?:3(?:\.\d+)?)?")


def follow(stage: Stage, words: Sequence[str], line: int) -> None:
    """Follow one simple command."""
    words = list(words)
    given = dict(stage.environment)
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        key, _, value = words.pop(0).partition("=")
        given[key] = value
    if not words:
        return
    name, rest = posixpath.basename(words[0]), words[1:]
    _manager_state(stage, name, rest)
    _among_files(stage, name, rest)
    installed(stage, name, rest)
    if not (name in _HARMLESS or name in _FOLLOWED or name in ("pip", "pip3")):
        from smoke.static.model.rewriting import rewrite  # noqa: PLC0415 - many trees install, and run nothing else

        rewrite(stage, words)
    if catalog.follow(stage, words, line, given):
        return
    if _PYTHON.fullmatch(words[0]):
        _python(stage, words[0], rest, line, given.get("PYTHONPYCACHEPREFIX", ""))
    elif name in _FOLLOWED:
        _FOLLOWED[name](stage, rest, line)
    elif name in MANAGERS:
        follow_packages(stage, name, rest, line)
    elif name in FETCHERS:
        fetched(stage, name, rest, line)
    elif name in UNPACKERS:
        unpacked(stage, name, rest, line)
    elif name in ("npm", "yarn", "pnpm"):
        _front_end(stage, name, rest, line)
    elif name not in _HARMLESS and not native.follow(stage, name, rest, line, given):
        _unknown(stage, name, rest, line)


def _front_end(stage: Stage, name: str, rest: Sequence[str], line: int) -> None:
    """What builds a front end leaves in certain directories, or where no one knows."""
    from smoke.static.model.frontend import outputs, surroundings  # noqa: PLC0415 - few trees have one

    made = outputs(stage, name, rest)
    if made is None:
        _unknown(stage, name, rest, line)
        return
    for place in (*made, *surroundings(stage)):
        stage.files.suspect(place, f"{name!r} in the RUN of line {line} cannot be followed", DoubtCause.COMMAND)


def _among_files(stage: Stage, name: str, rest: Sequence[str]) -> None:
    """What `find` and `xargs` do to the files that they come upon."""
    if name in ("find", "xargs"):
        edited_among(stage, rest)
    if name == "find":
        swept(stage, rest)


def _manager_state(stage: Stage, name: str, rest: Sequence[str]) -> None:
    """What a command does to the package manager's lists, its questions, and the mark of the system's Python."""
    text = " ".join(rest)
    if name in ("apt-get", "apt", "aptitude"):
        if "update" in rest:
            stage.lists = True
    elif name == "rm" and "/var/lib/apt/lists" in text:
        stage.lists = False if stage.lists is not None else None
    elif name not in _HARMLESS and name not in _FOLLOWED and not catalog.known(name):
        stage.lists = None  # a script may have fetched them
        stage.other_sources = True
    if "/etc/apt" in text or name in ("add-apt-repository", "dpkg"):
        stage.other_sources = True
    if "EXTERNALLY-MANAGED" in text or ("break-system-packages" in text and "config" in rest):
        stage.managed_free = True
    if name == "dpkg-reconfigure" and "dash" in rest:
        stage.files.add("/bin/sh", PathEntry("file", mode=0o755, line=1))


def _unknown(stage: Stage, name: str, rest: Sequence[str], line: int) -> None:
    """A program that cannot be followed: what it may write to is in doubt."""
    reason = f"{name!r} in the RUN of line {line} cannot be followed"
    user = stage.number(stage.user) if stage.user else None
    places = [stage.workdir, *([stage.home()] if stage.home() else []), "/tmp"]
    if user in (None, 0):
        places += [*_REACH, "/" + stage.workdir.strip("/").partition("/")[0]]
    if "/" in name or name in ("sh", "bash", "ash", "dpkg", "rpm", "source", ".", "eval") or name.endswith(".sh"):
        places = ["/"] if user in (None, 0) else places
        stage.users_known = False
    for word in rest:
        for path in re.findall(r"(?:^|=|:)(/[^\s=:$]*)", word):
            places.append(path)
    for place in places:
        stage.files.suspect(place, reason, DoubtCause.COMMAND)


def _mkdir(stage: Stage, rest: Sequence[str], line: int) -> None:
    _, values, operands = read_operands(rest, frozenset(["-m", "--mode"]))
    mode = values.get("-m", values.get("--mode", "755"))
    for operand in operands:
        for each in _braces(operand):
            stage.files.add(
                stage.path(each), PathEntry("directory", user=stage.number(stage.user), mode=_mode(mode), line=line)
            )


def _braces(text: str) -> list[str]:
    match = re.fullmatch(r"([^{}]*)\{([^{}]*,[^{}]*)\}([^{}]*)", text)
    return [match[1] + each + match[3] for each in match[2].split(",")] if match else [text]


def _mode(text: str) -> int | None:
    return int(text, 8) if re.fullmatch(r"[0-7]{1,4}", text) else None


def _touch(stage: Stage, rest: Sequence[str], line: int) -> None:
    for operand in read_operands(rest)[2]:
        if stage.files.find(stage.path(operand)) is None:
            stage.files.add(
                stage.path(operand), PathEntry("file", user=stage.number(stage.user), mode=0o644, line=line)
            )


def _tee(stage: Stage, rest: Sequence[str], line: int) -> None:
    """What comes through a pipe, into files: what they hold then is not known."""
    for place in (stage.path(operand) for operand in read_operands(rest)[2]):
        if not place.startswith(("/dev/", "/proc/", "/sys/")):
            held = stage.files.find(place)
            made = PathEntry("file", user=stage.number(stage.user), mode=0o644, line=line)
            stage.files.add(place, made if held is None else replace(held, source="", text=None))


def _chown(stage: Stage, rest: Sequence[str], line: int) -> None:
    flags, _, operands = read_operands(rest)
    if operands and operands[0]:
        owner = operands[0].partition(":")[0]
        for operand in operands[1:]:
            user = stage.number(owner) if owner else -1
            stage.files.change(stage.path(operand), bool(flags & {"-R", "--recursive"}), user=user)


def _chmod(stage: Stage, rest: Sequence[str], line: int) -> None:
    words = [word for word in rest if not re.fullmatch(r"-[Rvcf]+|--recursive", word)]
    recursive = any("R" in word or word == "--recursive" for word in rest if word not in words)
    for operand in words[1:]:
        stage.files.change(stage.path(operand), recursive, mode=_mode(words[0]))


def _link(stage: Stage, rest: Sequence[str], line: int) -> None:
    flags, _, operands = read_operands(rest)
    if len(operands) != 2:
        stage.files.suspect("/", f"the ln of line {line} cannot be followed", DoubtCause.COMMAND)
        return
    target, name = operands[0], stage.path(operands[1])
    if (found := stage.files.find(name)) is not None and found.kind == "directory" and "-n" not in flags:
        name = posixpath.join(name, posixpath.basename(target))
    stage.files.add(name, PathEntry("link", target=target if "-s" in flags else stage.path(target), line=line))


def _copy(stage: Stage, rest: Sequence[str], line: int, *, move: bool = False) -> None:
    flags, values, operands = read_operands(rest, frozenset(["-t", "--target-directory"]))
    if "-t" in flags:  # among others in one word
        stage.files.suspect("/", f"line {line} cannot be followed", DoubtCause.COMMAND)
        return
    operands += values.values()
    if len(operands) < 2 or any(letter in operand for operand in operands for letter in "*?[$"):
        stage.files.suspect(
            stage.path(operands[-1]) if operands else "/", f"line {line} cannot be followed", DoubtCause.COMMAND
        )
        return
    target = stage.path(operands[-1])
    held = stage.files.find(target)
    for operand in operands[:-1]:
        origin = stage.path(operand)
        within = held and held.kind == "directory" and "-T" not in flags
        within = within and posixpath.basename(operand.rstrip("/")) not in (".", "..")  # all that is in it
        into = posixpath.join(target, posixpath.basename(origin)) if within else target
        found = list(stage.files.below(origin))
        if not found:
            stage.files.suspect(
                into, stage.files.doubt(origin) or f"line {line} copies what is not there", DoubtCause.COMMAND
            )
        for path, entry in found:
            stage.files.add(
                posixpath.normpath(into + path[len(stage.files.resolve(origin)) :]), replace(entry, line=line)
            )
        if move:
            stage.files.remove(origin)


def _move(stage: Stage, rest: Sequence[str], line: int) -> None:
    _copy(stage, rest, line, move=True)


def _remove(stage: Stage, rest: Sequence[str], line: int) -> None:
    for operand in read_operands(rest)[2]:
        if not any(letter in operand for letter in "*?[$"):
            stage.files.remove(stage.path(operand))
            stage.node_modules.pop(stage.path(operand), None)
            stage.installs = [each for each in stage.installs if each.directory != stage.path(operand)]


def _change_directory(stage: Stage, rest: Sequence[str], line: int) -> None:
    stage.workdir = stage.path(rest[0] if rest else "~")


def _ignore(stage: Stage, rest: Sequence[str], line: int) -> None:
    """Leaves nothing that matters here."""


def _python(stage: Stage, program: str, rest: Sequence[str], line: int, cache: str) -> None:
    words = [word for word in rest if word not in ("-u", "-B", "-E", "-s", "-S", "-I", "-O", "-OO")]
    if words[:2] == ["-m", "compileall"] and cache:
        stage.files.add(stage.path(cache), PathEntry("directory", mode=0o755, line=line))
        stage.files.suspect(stage.path(cache), f"compiled files of line {line}", DoubtCause.COMMAND)
    elif words[:2] in (["-m", "compileall"], ["-m", "ensurepip"]) or words[:1] == ["--version"]:
        pass
    else:
        _unknown(stage, program, ["python"], line) if "/" not in program else _unknown(stage, "python", rest, line)


_FOLLOWED: dict[str, Callable[[Stage, Sequence[str], int], None]] = {
    "mkdir": _mkdir,
    "touch": _touch,
    "tee": _tee,
    "patch": patched,
    "chown": _chown,
    "chmod": _chmod,
    "ln": _link,
    "cp": _copy,
    "mv": _move,
    "rm": _remove,
    "cd": _change_directory,
    "useradd": add_user,
    "adduser": add_user,
    "groupadd": add_group,
    "addgroup": add_group,
    "groupdel": remove_group,
    "delgroup": remove_group,
    "groupmod": remove_group,
    "usermod": rename_user,
    "userdel": remove_user,
    "deluser": remove_user,
    "sed": edited,
    "dos2unix": edited_to_unix,
}
