"""What the common commands of a RUN leave behind: directories, owners, users, links, and installed distributions."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from smoke.static.model.filesystem import Entry, FileSystem
from smoke.static.model.image import Install

MAX_COMMANDS = 500
_SEPARATORS = {"&&", ";", "||", "|", "&", "\n"}
_HARMLESS = frozenset(
    [
        "apt-get", "apt", "apk", "dpkg", "yum", "dnf", "microdnf", "update-ca-certificates", "ldconfig", "echo",
        "true", ":", "set", "export", "ls", "cat", "test", "[", "which", "env", "uname", "date", "sleep", "find",
        "strip", "grep", "pwd", "id", "printf",
    ]
)  # fmt: skip
_INSTALLERS = frozenset(["apt-get", "apt", "apk", "dpkg", "yum", "dnf", "microdnf"])
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/etc", "/var", "/opt")
_PIP_VALUES = frozenset(
    [
        "-r", "--requirement", "-c", "--constraint", "-t", "--target", "--prefix", "--root", "-i", "--index-url",
        "--extra-index-url", "-f", "--find-links", "--platform", "--python-version", "--implementation", "--abi",
        "--only-binary", "--no-binary", "--timeout", "--retries", "--cache-dir", "--trusted-host", "--src",
        "--progress-bar", "--report", "--log", "-e", "--editable", "--upgrade-strategy", "--root-user-action",
        "--python", "--config-settings", "-C", "--proxy", "--cert",
    ]
)  # fmt: skip
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")


@dataclass
class Stage:
    """A stage under way: what its instructions have made so far."""

    files: FileSystem
    user: str = "0"
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=lambda: {"root": "/root", "0": "/root"})
    numbers: dict[str, int] = field(default_factory=lambda: {"root": 0, "nonroot": 65532, "nobody": 65534})
    installs: list[Install] = field(default_factory=list)
    python: str = ""
    """Version of the stage's own Python; empty when it has none or it is unknown."""
    sites: tuple[str, ...] = ()
    """Where that Python installs to, first."""
    venvs: set[str] = field(default_factory=set)

    def home(self) -> str:
        """The current user's home directory; empty when it isn't known."""
        name = self.user.partition(":")[0]
        return self.environment.get("HOME") or self.homes.get(name, "")

    def number(self, name: str) -> int | None:
        """A user's number, by name or number; none when it isn't known."""
        name = name.partition(":")[0]
        return int(name) if name.isascii() and name.isdigit() and len(name) < 11 else self.numbers.get(name)

    def path(self, text: str) -> str:
        """A path of the stage, absolute and normal."""
        if text == "~" or text.startswith("~/"):
            text = self.home() + text[1:]
        return posixpath.normpath(posixpath.join(self.workdir, text))


def run(stage: Stage, script: str, line: int) -> None:
    """Follow a RUN in shell form. What can't be followed puts in doubt what it could have made."""
    commands = _commands(script)
    if commands is None:
        stage.files.doubts.setdefault("/", f"the RUN of line {line} can't be followed")
        return
    kept = stage.workdir
    for command in commands:
        follow(stage, command, line)
    stage.workdir = kept


def _commands(script: str) -> list[list[str]] | None:
    """The simple commands of a script; none when it holds more than those."""
    script = re.sub(r"(?m)(?:^|\s)#[^\n]*$", "", script)
    if re.search(r"\$\(|`|<<|\bfunction\b|\(\)", script):
        return None
    try:
        lexer = shlex.shlex(script.replace("\n", " ; "), posix=True, punctuation_chars=";&|<>()")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return None
    commands: list[list[str]] = [[]]
    for word in words:
        if word in _SEPARATORS or (word and set(word) <= set(";&|")):
            commands.append([])
        elif word in ("if", "for", "while", "case", "until", "{", "(", ")", "!"):
            return None
        else:
            commands[-1].append(word)
    return [_redirected(command) for command in commands if command][:MAX_COMMANDS]


def _redirected(command: list[str]) -> list[str]:
    """A command without its redirections, which make files nobody starts."""
    kept: list[str] = []
    skip = False
    for word in command:
        if skip:
            skip = False
        elif word and set(word) <= set("<>&"):
            skip = True
        else:
            kept.append(word)
    return kept


def follow(stage: Stage, words: Sequence[str], line: int) -> None:
    """Follow one simple command."""
    words = list(words)
    given = dict(stage.environment)
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        key, _, value = words.pop(0).partition("=")
        given[key] = value
    if words and words[0] in ("exec", "sudo", "command"):
        words.pop(0)
    if not words:
        return
    name, rest = posixpath.basename(words[0]), words[1:]
    if name.startswith("pip") and re.fullmatch(r"pip[\d.]*", name):
        _pip(stage, rest, line, words[0])
    elif _PYTHON.fullmatch(words[0]):
        _python(stage, words[0], rest, line, given.get("PYTHONPYCACHEPREFIX", ""))
    elif name in _FOLLOWED:
        _FOLLOWED[name](stage, rest, line)
    elif name in _HARMLESS:
        if name in _INSTALLERS and {"install", "add"} & {*rest}:
            for directory in _SYSTEM:
                stage.files.doubts.setdefault(directory, f"packages were installed in line {line}")
    else:
        stage.files.doubts.setdefault("/", f"{name!r} in the RUN of line {line} can't be followed")


def _operands(rest: Sequence[str], valued: frozenset[str] = frozenset()) -> tuple[set[str], dict[str, str], list[str]]:
    """Flags, options with their values, and operands of a command."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    operands: list[str] = []
    words = iter(rest)
    for word in words:
        if word == "--":
            operands += words
        elif word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
            elif name in valued:
                values[name] = next(words, "")
            elif not word.startswith("--"):
                flags |= {f"-{letter}" for letter in word[1:]}
            else:
                flags.add(word)
        else:
            operands.append(word)
    return flags, values, operands


def _mkdir(stage: Stage, rest: Sequence[str], line: int) -> None:
    _, values, operands = _operands(rest, frozenset(["-m", "--mode"]))
    mode = values.get("-m", values.get("--mode", "755"))
    for operand in operands:
        for each in _braces(operand):
            stage.files.add(
                stage.path(each), Entry("directory", user=stage.number(stage.user), mode=_mode(mode), line=line)
            )


def _braces(text: str) -> list[str]:
    match = re.fullmatch(r"([^{}]*)\{([^{}]*,[^{}]*)\}([^{}]*)", text)
    return [match[1] + each + match[3] for each in match[2].split(",")] if match else [text]


def _mode(text: str) -> int | None:
    return int(text, 8) if re.fullmatch(r"[0-7]{1,4}", text) else None


def _touch(stage: Stage, rest: Sequence[str], line: int) -> None:
    for operand in _operands(rest)[2]:
        if stage.files.find(stage.path(operand)) is None:
            stage.files.add(stage.path(operand), Entry("file", user=stage.number(stage.user), mode=0o644, line=line))


def _chown(stage: Stage, rest: Sequence[str], line: int) -> None:
    flags, _, operands = _operands(rest)
    if operands and operands[0]:
        owner = operands[0].partition(":")[0]
        for operand in operands[1:]:
            user = stage.number(owner) if owner else -1
            stage.files.change(stage.path(operand), bool(flags & {"-R", "--recursive"}), user=user)


def _chmod(stage: Stage, rest: Sequence[str], line: int) -> None:
    words = [word for word in rest if not re.fullmatch(r"-[Rvcf]+|--recursive", word)]
    for operand in words[1:]:
        stage.files.change(stage.path(operand), len(words) < len(rest), mode=_mode(words[0]))


def _link(stage: Stage, rest: Sequence[str], line: int) -> None:
    flags, _, operands = _operands(rest)
    if len(operands) != 2:
        stage.files.doubts.setdefault("/", f"the ln of line {line} can't be followed")
        return
    target, name = operands[0], stage.path(operands[1])
    if (found := stage.files.find(name)) is not None and found.kind == "directory" and "-n" not in flags:
        name = posixpath.join(name, posixpath.basename(target))
    stage.files.add(name, Entry("link", target=target if "-s" in flags else stage.path(target), line=line))


def _copy(stage: Stage, rest: Sequence[str], line: int, *, move: bool = False) -> None:
    operands = _operands(rest)[2]
    if len(operands) < 2 or any(letter in operand for operand in operands for letter in "*?[$"):
        stage.files.doubts.setdefault(stage.path(operands[-1]) if operands else "/", f"line {line} can't be followed")
        return
    target = stage.path(operands[-1])
    held = stage.files.find(target)
    for operand in operands[:-1]:
        origin = stage.path(operand)
        into = posixpath.join(target, posixpath.basename(origin)) if held and held.kind == "directory" else target
        found = list(stage.files.below(origin))
        if not found:
            stage.files.doubts.setdefault(into, stage.files.doubt(origin) or f"line {line} copies what is not there")
        for path, entry in found:
            stage.files.add(
                posixpath.normpath(into + path[len(stage.files.resolve(origin)) :]), replace(entry, line=line)
            )
        if move:
            stage.files.remove(origin)


def _move(stage: Stage, rest: Sequence[str], line: int) -> None:
    _copy(stage, rest, line, move=True)


def _remove(stage: Stage, rest: Sequence[str], line: int) -> None:
    for operand in _operands(rest)[2]:
        if not any(letter in operand for letter in "*?[$"):
            stage.files.remove(stage.path(operand))
            stage.installs = [each for each in stage.installs if each.directory != stage.path(operand)]


def _change_directory(stage: Stage, rest: Sequence[str], line: int) -> None:
    stage.workdir = stage.path(rest[0] if rest else "~")


def _add_user(stage: Stage, rest: Sequence[str], line: int) -> None:
    valued = frozenset(
        [
            *["-u", "--uid", "-g", "--gid", "-d", "--home-dir", "--home", "-h", "-s", "--shell"],
            *["-G", "--groups", "-c", "--comment", "--gecos", "--ingroup"],
        ]
    )
    busybox = "-D" in rest
    _, values, operands = _operands(rest, valued if busybox else valued - {"-h"})
    if not operands:
        return
    name = operands[0]
    number = values.get("-u", values.get("--uid", ""))
    home = values.get("-d") or values.get("--home-dir") or values.get("--home") or values.get("-h") or f"/home/{name}"
    stage.homes[name] = home
    if number.isdigit() and len(number) < 11:
        stage.numbers[name] = int(number)
        stage.homes[number] = home
    if busybox or "-m" in rest or "--create-home" in rest or "--disabled-password" in rest:
        stage.files.add(home, Entry("directory", user=stage.numbers.get(name), mode=0o755, line=line))


def _ignore(stage: Stage, rest: Sequence[str], line: int) -> None:
    """Leaves nothing that matters here."""


def _python(stage: Stage, program: str, rest: Sequence[str], line: int, cache: str) -> None:
    words = [word for word in rest if word not in ("-u", "-B", "-E", "-s", "-S", "-I", "-O", "-OO")]
    if words[:2] == ["-m", "pip"]:
        _pip(stage, words[2:], line, program)
    elif words[:2] == ["-m", "venv"] or words[:2] == ["-m", "virtualenv"]:
        for operand in _operands(words[2:], frozenset(["--prompt"]))[2]:
            make_venv(stage, stage.path(operand), line)
    elif words[:2] == ["-m", "compileall"] and cache:
        stage.files.add(stage.path(cache), Entry("directory", mode=0o755, line=line))
        stage.files.doubts.setdefault(stage.path(cache), f"compiled files of line {line}")
    elif words[:2] in (["-m", "compileall"], ["-m", "ensurepip"]) or words[:1] == ["--version"]:
        pass
    else:
        stage.files.doubts.setdefault("/", f"a Python program ran in line {line}")


def make_venv(stage: Stage, path: str, line: int) -> None:
    """A virtual environment, with the stage's own Python behind it."""
    stage.venvs.add(path)
    version = stage.python or "3"
    for name in ("python", "python3", f"python{version}"):
        found = next((each for each in _search(stage, f"python{version}") if stage.files.find(each)), "")
        stage.files.add(f"{path}/bin/{name}", Entry("link", target=found or f"/usr/bin/{name}", line=line))
    for name in ("pip", "pip3"):
        stage.files.add(f"{path}/bin/{name}", Entry("file", mode=0o755, line=line))
    stage.files.add(f"{path}/lib/python{version}/site-packages", Entry("directory", mode=0o755, line=line))


def _search(stage: Stage, name: str) -> list[str]:
    return [posixpath.join(each, name) for each in stage.environment.get("PATH", "").split(":") if each]


def _pip(stage: Stage, rest: Sequence[str], line: int, program: str) -> None:
    if not rest or rest[0] != "install":
        if rest and rest[0] not in ("--version", "check", "list", "freeze", "cache", "config", "show"):
            stage.files.doubts.setdefault("/", f"pip {rest[0]} in line {line} can't be followed")
        return
    wanted = _Wanted()
    words = iter(rest[1:])
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word.startswith("-r") and len(word) > 2:
            name, equals, value = "-r", "=", word[2:]
        if name in _PIP_VALUES and not equals:
            value = next(words, "")
        _option(stage, wanted, name, value, line)
    if not wanted.requirements and all(_distribution(each) in _TOOLS for each in wanted.given):
        return
    directory = wanted.directory or ("" if wanted.doubt else _own_site(stage, program))
    if directory:
        _installed(stage, directory, line)
    doubt = wanted.doubt or ("" if directory else "where pip installs to is not known")
    known = tuple(source for source in wanted.requirements if source)
    stage.installs.append(Install(line, known, tuple(wanted.given), directory, None, doubt))


_TOOLS = frozenset(["pip", "setuptools", "wheel", "uv", "build"])
"""Distributions that build the others."""


@dataclass
class _Wanted:
    """What a `pip install` is told."""

    requirements: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    directory: str = ""
    doubt: str = ""


def _distribution(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower()


def _option(stage: Stage, wanted: _Wanted, name: str, value: str, line: int) -> None:
    version = f"python{stage.python}"
    match name:
        case "-r" | "--requirement":
            source = _tree_file(stage, value)
            wanted.requirements.append(source)
            wanted.doubt = wanted.doubt or ("" if source else f"{value} of line {line} is no file of the tree")
        case "-t" | "--target":
            wanted.directory = stage.path(value)
        case "--prefix" | "--root" if stage.python:
            wanted.directory = posixpath.join(stage.path(value), f"lib/{version}/site-packages")
        case "--user" if stage.python and stage.home():
            wanted.directory = posixpath.join(stage.home(), f".local/lib/{version}/site-packages")
        case "--prefix" | "--root" | "--user":
            wanted.doubt = wanted.doubt or "the version of Python that installs, or its home directory, is not known"
        case "-e" | "--editable":
            wanted.given.append(value)
        case _ if not name.startswith("-"):
            wanted.given.append(name)


def _installed(stage: Stage, directory: str, line: int) -> None:
    reason = f"what pip installed in line {line} is known by its requirements alone"
    stage.files.add(directory, Entry("directory", user=stage.number(stage.user), mode=0o755, line=line))
    stage.files.doubts.setdefault(directory, reason)
    above = posixpath.normpath(posixpath.join(directory, "../../.."))
    scripts = posixpath.join(above if directory.endswith("-packages") else directory, "bin")
    stage.files.add(scripts, Entry("directory", user=stage.number(stage.user), mode=0o755, line=line))
    stage.files.doubts.setdefault(scripts, reason)


def _tree_file(stage: Stage, path: str) -> str:
    entry = stage.files.find(stage.path(path))
    return entry.source if entry is not None and entry.kind == "file" else ""


def _own_site(stage: Stage, program: str) -> str:
    """Where the pip or Python of that name installs to when nothing else is said."""
    places = [stage.path(program)] if "/" in program else _search(stage, program)
    for place in places:
        venv = posixpath.dirname(posixpath.dirname(place))
        if venv in stage.venvs:
            return f"{venv}/lib/python{stage.python or '3'}/site-packages"
        if stage.files.entries.get(place) is not None:
            break
    return stage.sites[0] if stage.sites else ""


_FOLLOWED: dict[str, Callable[[Stage, Sequence[str], int], None]] = {
    "mkdir": _mkdir,
    "touch": _touch,
    "chown": _chown,
    "chmod": _chmod,
    "ln": _link,
    "cp": _copy,
    "mv": _move,
    "rm": _remove,
    "cd": _change_directory,
    "useradd": _add_user,
    "adduser": _add_user,
    "groupadd": _ignore,
    "addgroup": _ignore,
    "usermod": _ignore,
}
