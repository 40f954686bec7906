"""What a container would execute: the words of ENTRYPOINT and CMD, looked up on the final stage's file system."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import replace

from smoke.manifest import Base
from smoke.static.model.commands import Stage
from smoke.static.model.filesystem import Entry
from smoke.static.model.image import Start

_PYTHON = re.compile(r"python(?:3(?:\.(\d+))?)?")
_PYTHON_FLAGS = re.compile(r"-[bBdEhiIOPqsSuvVx?]+")
_SERVERS = frozenset(["uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve"])
_APPLICATION = re.compile(r"([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*)(?:\(.*\))?)?")
_WRAPPERS = frozenset(["tini", "dumb-init", "catatonit"])
_SHELLS = frozenset(["sh", "bash", "ash", "dash"])
MAX_DEPTH = 3


def start_of(
    base: Base | None, entrypoint: tuple[str, ...], command: tuple[str, ...], line: int, form: str, state: Stage | None
) -> Start:
    """The effective command. `form` says whether the ENTRYPOINT (which then ignores CMD) or CMD is in shell form."""
    words = entrypoint if form == "shell entrypoint" else (*entrypoint, *command)
    start = Start(words=words, line=line)
    if state is None:
        return replace(start, doubt="the Dockerfile can't be followed")
    if base is None and (not entrypoint or not words):
        return replace(start, doubt="the base image is unknown, and with it its entry point")
    if not words:
        return replace(start, trouble="neither the Dockerfile nor its base says what to start")
    if form == "shell command" and base is not None and not base.shell and not base.entrypoint:
        return replace(start, trouble=_no_shell(words, state))
    return _resolved(start, words, base, state, 0)


def _no_shell(words: tuple[str, ...], state: Stage) -> str:
    return f"the shell form needs {words[0]}, which the image does not have" if not _found(words[0], state)[0] else ""


def _found(name: str, state: Stage) -> tuple[str, str]:
    """Where a program is, or why it can't be told; both empty when it surely is nowhere."""
    found = state.surroundings().find(name)
    return found.place, found.doubt


def _resolved(  # noqa: PLR0911 - a case a kind of program
    start: Start, words: tuple[str, ...], base: Base | None, state: Stage, depth: int
) -> Start:
    name = posixpath.basename(words[0])
    program, doubt = _found(words[0], state)
    if not program:
        if doubt and not _odd(words[0]):
            if name in _SERVERS or _PYTHON.fullmatch(name):
                return _python_or_server(replace(start, doubt=""), words, name, words[0], base, state)
            return replace(start, doubt=f"whether {words[0]} is there: {doubt}")
        return replace(start, trouble=_absent(words[0]))
    start = replace(start, program=program)
    if trouble := _not_executable(program, state):
        return replace(start, trouble=trouble)
    if name in _WRAPPERS:
        rest = tuple(words[1:])
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        return _resolved(start, rest, base, state, depth + 1) if rest and depth < MAX_DEPTH else start
    if name in _SHELLS:
        return _shell(start, words, base, state, depth)
    return _python_or_server(start, words, name, program, base, state)


def _odd(word: str) -> bool:
    """Whether no program has such a name, whatever the image holds."""
    return any(letter.isspace() for letter in word) or "$" in word


def _absent(word: str) -> str:
    if any(letter.isspace() for letter in word):
        return f"{word!r} is one word of an exec form, so a program of that whole name is started: there is none"
    if re.search(r"\$\{?\w", word):
        return f"{word} stays as it is in an exec form, which no shell reads: there is no program of that name"
    return f"{word} is not in the image" + ("" if "/" in word else " (on its PATH)")


def _not_executable(program: str, state: Stage) -> str:
    """Why a file that is there can't be executed; empty when nothing speaks against it."""
    entry = state.files.find(program)
    if entry is None:
        return ""
    if entry.line and entry.mode is not None and not _may_execute(entry, state):
        return f"{program} is not executable (mode {entry.mode:03o}): permission denied"
    if entry.source and state.read is not None:
        trouble = state.surroundings().interpreter(entry, state.read(entry.source))
        return f"{program} can't be executed: {trouble}" if trouble else ""
    return ""


def _may_execute(entry: Entry, state: Stage) -> bool:
    mode, user = entry.mode or 0, state.number(state.user) if state.user else None
    if user is None or user == 0:
        return bool(mode & 0o111)
    return bool(mode & 0o111) if entry.user is None else bool(mode & (0o100 if entry.user == user else 0o011))


def _shell(start: Start, words: tuple[str, ...], base: Base | None, state: Stage, depth: int) -> Start:
    if len(words) < 3 or not re.fullmatch(r"-[a-z]*c", words[1]) or depth >= MAX_DEPTH:
        return replace(start, doubt="a shell script decides what is started")
    script = words[2]
    if re.search(r"[;&|`\n<>]|\$\(", script):
        return replace(start, doubt="a shell script decides what is started")
    try:
        inner = shlex.split(script)
    except ValueError:
        return replace(start, trouble="the shell can't read its command: a quote is not closed")
    inner = [re.sub(r"\$\{?(\w+)\}?", lambda found: state.environment.get(found[1], found[0]), each) for each in inner]
    while inner and (inner[0] == "exec" or re.fullmatch(r"\w+=.*", inner[0])):
        inner.pop(0)
    if not inner:
        return replace(start, doubt="a shell script decides what is started")
    return _resolved(start, tuple(inner), base, state, depth + 1)


def _python_or_server(
    start: Start, words: tuple[str, ...], name: str, program: str, base: Base | None, state: Stage
) -> Start:
    if _PYTHON.fullmatch(name):
        return _python(start, words[1:], program, base, state)
    if name in _SERVERS:
        return _server(start, name, words[1:], base, state, program)
    entry = state.files.find(program)
    if entry is not None and entry.source.endswith(".py"):
        return replace(start, script=program, search=_search(state, base, posixpath.dirname(program), set(), program))
    return replace(start, doubt=f"what {words[0]} does is not looked into")


def _python(  # noqa: PLR0911, PLR0912 - a case a form of Python's command line
    start: Start, rest: tuple[str, ...], program: str, base: Base | None, state: Stage
) -> Start:
    flags: set[str] = set()
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        if rest[0] in ("-W", "-X", "--check-hash-based-pycs"):
            rest = rest[2:]
        elif _PYTHON_FLAGS.fullmatch(rest[0]):
            flags |= set(rest[0][1:])
            rest = rest[1:]
        elif re.match(r"-[WX].", rest[0]):
            rest = rest[1:]
        elif (combined := re.fullmatch(r"-([bBdEIOPqsSuv]+)([mc])", rest[0])) is not None:
            flags |= set(combined[1])
            rest = (f"-{combined[2]}", *rest[1:])
        else:
            return replace(start, doubt=f"what Python makes of {rest[0]} is not known here")
    if not rest:
        return replace(start, trouble="Python is started without a program: it reads standard input and ends")
    if rest[0] == "-m" and len(rest) > 1:
        search = _search(state, base, state.workdir, flags, program)
        if rest[1] in _SERVERS:
            return _server(replace(start, search=search), rest[1], rest[2:], base, state, program)
        return replace(start, module=rest[1], search=search)
    if rest[0] in ("-c", "-", "-m"):
        return replace(start, doubt="Python is given its program on the command line")
    script = state.path(rest[0])
    entry = state.files.find(script)
    search = _search(
        state, base, script if entry and entry.kind == "directory" else posixpath.dirname(script), flags, program
    )
    start = replace(start, script=script, search=search)
    if entry is None:
        doubt = state.files.doubt(script)
        if doubt:
            return replace(start, doubt=f"whether {script} is there: {doubt}")
        why = f"{program} is handed {rest[0]!r} as the file to run, and there is no {script}"
        if base is not None and base.entrypoint and start.words[: len(base.entrypoint)] == base.entrypoint:
            why += f": the base's own entry point {base.entrypoint[0]} stands before the CMD"
        if _PYTHON.fullmatch(posixpath.basename(rest[0])) and rest[1:]:
            # What was meant can be judged all the same.
            start = _python(replace(start, script=""), rest[1:], program, base, state)
            start = replace(start, doubt="")
        return replace(start, trouble=why)
    return start


def _server(start: Start, name: str, rest: tuple[str, ...], base: Base | None, state: Stage, program: str) -> Start:
    search = start.search or _search(state, base, state.workdir, set(), program)
    for place, word in enumerate(rest):
        if word.startswith("-") or (place and rest[place - 1].startswith("-") and "=" not in rest[place - 1]):
            match = None if word.startswith("-") else _APPLICATION.fullmatch(word)
            if match is None or not match[2]:
                continue
        match = _APPLICATION.fullmatch(word)
        if match is not None:
            application = match[2] or ("application" if name == "gunicorn" else "app")
            return replace(start, server=name, module=match[1], application=application, search=search)
    return replace(start, server=name, search=search, doubt=f"which app {name} serves can't be told from its arguments")


def _search(state: Stage, base: Base | None, first: str, flags: set[str], program: str) -> tuple[str, ...]:
    """`sys.path` without the standard library."""
    found = [] if flags & {"I", "P"} else [first]
    if not flags & {"E", "I"}:
        found += [state.path(each) for each in state.environment.get("PYTHONPATH", "").split(":") if each]
    venv = posixpath.dirname(posixpath.dirname(program))
    if venv in state.venvs:
        found.append(f"{venv}/lib/python{state.python or '3'}/site-packages")
    elif "S" not in flags:
        home = state.home()
        if home and base is not None and base.python and not flags & {"s", "I"}:
            found.append(f"{home}/.local/lib/python{base.python}/site-packages")
        found += () if base is None else base.sites
    return tuple(dict.fromkeys(found))
