"""Commands of a build that surely fail where they stand: the build stops there."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Sequence

from smoke.static.model.account_steps import account_refusal
from smoke.static.model.dash import has_dash
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.given_code import imported_by
from smoke.static.model.installers.conda_prefix import TOOLS
from smoke.static.model.managers.refusal import refusal as manager_refusal
from smoke.static.model.operands import plain_operands
from smoke.static.model.shell_builtins import BUILTINS
from smoke.static.model.stage import Stage
from smoke.static.python.distributions import bringers
from smoke.static.regex import regex

_ROOT_ONLY = {
    "apt-get": {"install", "update", "upgrade", "remove", "purge", "dist-upgrade"},
    "apt": {"install", "update", "upgrade", "remove", "purge"},
    "apk": {"add", "update", "upgrade", "del"},
    "dnf": {"install", "update", "upgrade"},
    "yum": {"install", "update", "upgrade"},
    "microdnf": {"install", "update", "upgrade"},
    "useradd": set(),
    "groupadd": set(),
    "adduser": set(),
    "addgroup": set(),
}
"""What only root may run, with the words that say so (none: any)."""
_INTERPRETERS = regex(r"(?:ba|da|a)?sh|python(?:3(?:\.\d+)?)?")


def refusal(stage: Stage, words: Sequence[str], line: int) -> str:
    """Why a command surely fails; empty when nothing speaks against it."""
    name, rest = words[0], list(words[1:])
    if name in ("source", "set", "[[") and stage.shell in ("sh", "dash") and has_dash(stage):
        return _not_of_dash(name, rest)
    if name == "cd" and len(rest) == 1 and rest[0] != "-" and _surely_absent(stage, rest[0]):
        return f"cd: there is no {stage.path(rest[0])} at this step"
    if "$" in name or "`" in name or name in BUILTINS:
        return ""
    return (
        _missing(stage, name)
        or _not_initialized(stage, posixpath.basename(name), rest)
        or _not_root(stage, posixpath.basename(name), rest)
        or _no_script(stage, name, rest)
        or _no_file(stage, posixpath.basename(name), rest)
        or account_refusal(stage, posixpath.basename(name), rest)
        or _may_not_write(stage, posixpath.basename(name), rest)
        or _there_already(stage, posixpath.basename(name), rest)
        or _no_module(stage, posixpath.basename(name), rest)
        or manager_refusal(stage, name, rest)
        or (_not_of_go(stage, rest) if name == "go" else "")
    )


def _not_of_go(stage: Stage, rest: list[str]) -> str:
    from smoke.static.model.golang import go_refusal  # noqa: PLC0415 - few trees have Go

    return go_refusal(stage, rest)


def _not_of_dash(name: str, rest: list[str]) -> str:
    if name == "set":
        return "set -o pipefail: /bin/sh is dash here, which has no such option" if "pipefail" in rest else ""
    return f"{name}: not found: /bin/sh is dash here, which has no {name}"


def _missing(stage: Stage, name: str) -> str:
    found = stage.surroundings().find(name)
    if _not_activated(stage, name, found.place or name):
        return (
            f"{name}: command not found: micromamba's image activates nothing without ARG MAMBA_DOCKERFILE_ACTIVATE=1"
        )
    if found.place:
        entry = stage.files.find(found.place)
        if entry is not None and entry.line and entry.mode is not None and not entry.mode & 0o111:
            return f"{found.place} is not executable (mode {entry.mode:03o}): permission denied"
        if entry is not None and (first := stage.content(entry)) is not None:
            trouble = stage.surroundings().interpreter(entry, first)
            return f"{found.place} cannot be executed: {trouble}" if trouble else ""
        return ""
    if found.doubt:
        return ""
    return f"{name}: {'no such file' if '/' in name else 'command not found'}"


def _not_activated(stage: Stage, name: str, place: str) -> bool:
    """Whether a program of conda's is named in a RUN of micromamba's image that has activated no environment."""
    if name not in ("python", "python3", "pip", "pip3") or not place.startswith(("/opt/conda/bin/", name)):
        return False
    start = stage.files.find("/usr/local/bin/_entrypoint.sh")
    bare = start is not None and not start.line and stage.files.find("/usr/local/bin/micromamba") is not None
    told = stage.environment.get("MAMBA_DOCKERFILE_ACTIVATE") or stage.environment.get("CONDA_DEFAULT_ENV")
    path = stage.environment.get("PATH", "").split(":")
    return bare and not told and stage.shell == "sh" and path[:2] == ["/opt/conda/bin", "/usr/local/sbin"]


def _user(stage: Stage) -> int | None:
    """The number of a user who is surely not root; none else."""
    number = stage.number(stage.user) if stage.user else None
    return number if number else None


def _not_initialized(stage: Stage, name: str, rest: list[str]) -> str:
    """`conda activate` is a function of a shell that has read conda's own lines."""
    if name not in ("conda", "mamba") or rest[:1] != ["activate"] or stage.shell not in ("sh", "dash", "bash"):
        return ""
    return f"{name} activate: this shell has not read conda's lines, so it refuses: conda run does it without them"


def _not_root(stage: Stage, name: str, rest: list[str]) -> str:
    wanted = _ROOT_ONLY.get(name)
    user = _user(stage)
    if wanted is None or user is None or (wanted and not wanted & {*rest}):
        return ""
    return f"{name} needs root, and this step runs as user {stage.user}: permission denied"


def _no_script(stage: Stage, name: str, rest: list[str]) -> str:
    """`sh setup.sh` and `python setup.py` of a file that is not there."""
    if not _INTERPRETERS.fullmatch(posixpath.basename(name)) or not rest or rest[0].startswith("-"):
        return ""
    return f"there is no {stage.path(rest[0])} at this step" if _surely_absent(stage, rest[0]) else ""


def _surely_absent(stage: Stage, operand: str) -> bool:
    if any(letter in operand for letter in "*?[$`{~") or not operand:
        return False
    path = stage.path(operand)
    return stage.files.find(path) is None and not stage.files.doubt(path)


def _no_file(stage: Stage, name: str, rest: list[str]) -> str:
    """Commands that need what they are given to be there."""
    flags = "".join(word[1:] for word in rest if re.fullmatch(r"-[A-Za-z]+", word))
    needed: list[str] = []
    if name in ("chmod", "chown", "chgrp") and not any(word.startswith("--reference") for word in rest):
        needed = plain_operands(rest)[1:] if "f" not in flags else []
    elif name in ("cp", "mv") and not any(word.startswith(("-t", "--target")) for word in rest):
        needed = plain_operands(rest)[:-1]
    elif (name == "rm" and "f" not in flags and "--force" not in rest) or name == "cat":
        needed = plain_operands(rest)
    elif re.fullmatch(r"pip[\d.]*", name) and rest[:1] == ["install"]:
        valued = ("-r", "--requirement", "-c", "--constraint")
        needed = [rest[place + 1] for place, word in enumerate(rest[:-1]) if word in valued]
    elif name in TOOLS and {"env", "create", "install", "update"} & {*rest[:2]}:
        needed = [rest[place + 1] for place, word in enumerate(rest[:-1]) if word in ("-f", "--file")]
        plain = all(word.startswith("-") and "=" not in word for word in rest[2:])
        if rest[:2] == ["env", "create"] and plain and not needed:
            needed = ["environment.yml"]
        if rest[:1] == ["env"]:
            needed += [each for file in needed for each in _requirement_files(stage, file)]
    elif name in ("tar", "unzip", "gunzip", "bunzip2"):
        needed = _archives(name, rest)
    elif name == "sed" and "i" in flags:
        needed = (
            plain_operands(rest, "-e -f")[1:]
            if "-e" not in rest and "-f" not in rest
            else plain_operands(rest, "-e -f")
        )
    absent = next((operand for operand in needed if not _elsewhere(operand) and _surely_absent(stage, operand)), None)
    return "" if absent is None else f"{name}: there is no {stage.path(absent)} at this step"


def _requirement_files(stage: Stage, file: str) -> list[str]:
    """Requirement files that the pip section of an environment of conda's names."""
    entry = stage.files.find(stage.path(file))
    if entry is None or not entry.source or stage.read is None:
        return []
    from smoke.static.python.conda import read_environment  # noqa: PLC0415 - few trees have an environment of conda's

    asked = read_environment(entry.source, stage.read(entry.source).decode("utf-8", "replace"))
    return [posixpath.join(posixpath.dirname(file), each) for each in asked.files]


def _archives(name: str, rest: list[str]) -> list[str]:
    """Archives that a command reads."""
    if name != "tar":
        return [word for word in rest if not word.startswith("-")][:1] if name in ("unzip", "gunzip", "bunzip2") else []
    first = rest[0].lstrip("-") if rest and not rest[0].startswith("--") else ""
    letters = first + "".join(word[1:] for word in rest[1:] if re.fullmatch(r"-[A-Za-z]+", word))
    if not ({"x", "t"} & {*letters} or {"--extract", "--list"} & {*rest}) or "c" in letters:
        return []
    given = [word.partition("=")[2] for word in rest if word.startswith("--file=")]
    for place, word in enumerate(rest[:-1]):
        if word == "--file" or re.fullmatch(r"-?[A-Za-z]*f", word if place == 0 or word.startswith("-") else ""):
            given.append(rest[place + 1])
    return given


def _there_already(stage: Stage, name: str, rest: list[str]) -> str:
    """Directories and links made where something is."""
    short = {letter for word in rest if re.fullmatch(r"-[A-Za-z]+", word) for letter in word[1:]}
    if name == "mkdir" and "p" not in short and "--parents" not in rest:
        held = (each for each in plain_operands(rest, "-m --mode") if not any(letter in each for letter in "*?[$`{~"))
    elif name == "ln" and not {"f", "b", "i"} & short and "--force" not in rest and len(plain_operands(rest)) == 2:
        held = (each for each in plain_operands(rest)[1:] if not any(letter in each for letter in "*?[$`{~"))
    else:
        return ""
    for operand in held:
        path = stage.path(operand)
        entry = stage.files.entries.get(stage.files.resolve(posixpath.dirname(path)) + "/" + posixpath.basename(path))
        entry = entry or stage.files.entries.get(path)
        if entry is not None and (name == "mkdir" or entry.kind == "file"):
            return f"{name}: {path} is there already at this step"
    return ""


def _no_module(stage: Stage, name: str, rest: list[str]) -> str:
    """`python -c` of code that imports what comes later, or never; and setup.py without setuptools."""
    if re.fullmatch(r"python(?:3(?:\.\d+)?)?", name) and rest[:1] == ["setup.py"] and _no_setuptools(stage):
        return f"{name} setup.py imports setuptools, which the image of Python {stage.python} does not have"
    if not re.fullmatch(r"python(?:3(?:\.\d+)?)?", name) or len(rest) < 2 or rest[0] != "-c":
        return ""
    if stage.environment.get("PYTHONPATH") or stage.installs:
        return ""
    for module in imported_by(rest[1]) or []:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or bringers(top):
            continue
        places = [posixpath.join(stage.workdir, top), posixpath.join(stage.workdir, f"{top}.py")]
        if all(stage.files.find(each) is None and not stage.files.doubt(each) for each in places):
            return f"{name} -c imports {top}, and there is no such module at this step"
    return ""


def _no_setuptools(stage: Stage) -> bool:
    """Whether the Python of a stage is an official image's own, of a version that comes without setuptools."""
    minor = re.fullmatch(r"3\.(\d+)", stage.python)
    bare = bool(stage.sites) and stage.sites[-1].startswith("/usr/local/lib/python") and not stage.installs
    return bare and not stage.venvs and minor is not None and int(minor[1]) >= 12


def _elsewhere(operand: str) -> bool:
    return operand == "-" or "://" in operand or operand.startswith(("/dev/", "/proc/", "/sys/"))


_OF_ROOT = frozenset(["/var", "/var/lib", "/var/log", "/var/cache", "/opt", "/etc", "/usr", "/usr/local", "/usr/share"])
"""Directories of every base that root alone may write to."""
_OF_BASES = frozenset(
    ["nginx", "yarn", "conda", "apt", "apk", "dpkg", "postgresql", "mysql", "redis", "python", "node"]
)
"""What bases may have in them."""


def _bare_beside(stage: Stage, path: str) -> bool:
    """Whether something is surely made anew in a directory of root's that every base has."""
    above, name = posixpath.split(path)
    doubts = stage.files.every_doubt(path)
    bare = (
        above in _OF_ROOT and stage.files.find(path) is None and all(each.cause is DoubtCause.BASE for each in doubts)
    )
    held = stage.files.entries.get(above)
    return bare and path not in _OF_ROOT and name not in _OF_BASES and (held is None or not held.line)


def _made_by(stage: Stage, name: str, rest: list[str]) -> list[str]:
    """What a command makes, if it is not there: files, directories, environments."""
    if name in ("mkdir", "touch"):
        return plain_operands(rest, "-m --mode")
    if name == "uv" and rest[:1] == ["sync"]:
        other = {"--active", "--dry-run", "--check", "--project", "--directory", "--script"}
        told = any(word.partition("=")[0] in other for word in rest)
        return [] if told else [stage.environment.get("UV_PROJECT_ENVIRONMENT") or ".venv"]
    if re.fullmatch(r"python[\d.]*", name) and rest[:2] == ["-m", "venv"]:
        return plain_operands(rest[2:], "--prompt")[:1]
    return ["node_modules"] if name == "npm" and rest in (["ci"], ["install"], ["i"]) else []


def _may_not_write(stage: Stage, name: str, rest: list[str]) -> str:
    """Directories and files made where this user may not."""
    user = _user(stage)
    if user is not None and name == "chmod":
        for operand in plain_operands(rest)[1:]:
            held = stage.files.find(stage.path(operand))
            if held is not None and held.line and held.user is not None and held.user != user:
                return (
                    f"chmod {stage.path(operand)}: it belongs to user {held.user}, and this step runs as {stage.user}"
                )
    if user is None:
        return ""
    for operand in _made_by(stage, name, rest):
        if any(letter in operand for letter in "*?[$`{~"):
            continue
        path = posixpath.normpath(stage.path(operand))
        if stage.system and _bare_beside(stage, path):
            return f"{name} {path}: {posixpath.dirname(path)} belongs to root, and this step runs as {stage.user}"
        while path != "/" and stage.files.find(path) is None and not stage.files.doubts.get(path):
            below, path = path, posixpath.dirname(path)
            entry = stage.files.find(path)
            if path != "/" and (entry is None or entry.mode is None or entry.user is None):
                continue
            owner, mode = (0, 0o755) if path == "/" or entry is None else (entry.user, entry.mode or 0)
            if owner != user and not mode & 0o2:
                return f"{name} {below}: {path} belongs to user {owner}, and this step runs as {stage.user}"
            break
    return ""
