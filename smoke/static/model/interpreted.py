"""What Python is started with: a module, a script, or a server that loads one."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Sequence

from msgspec.structs import replace

from smoke.static.model.effective_command import Start
from smoke.static.model.executable import find_program
from smoke.static.model.given_code import imported_by
from smoke.static.model.home import astray
from smoke.static.model.scene import Scene
from smoke.static.model.searchpath import search_path
from smoke.static.model.servers.catalog import served
from smoke.static.model.servers.options import read_line
from smoke.static.model.servers.served import Served, number
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

PYTHON = regex(r"python(?:3(?:\.(\d+))?)?")
_UNDER = {
    "debugpy": frozenset(["--listen", "--connect", "--log-to", "--configure-subProcess", "--adapter-access-token"]),
    "pdb": frozenset(["-c"]),
    "cProfile": frozenset(["-o", "-s"]),
    "trace": frozenset(["-f", "-C"]),
    "coverage": frozenset(["--source", "--rcfile", "--include", "--omit", "--concurrency", "--data-file"]),
}
"""Modules that run another program, with their options that take the next word."""
_PYTHON_FLAGS = regex(r"-[bBdEhiIOPqsSuvVx?]+")


def started(start: Start, scene: Scene, program: str) -> Start:
    """The Python that runs a program."""
    state = scene.state
    start = replace(start, workdir=state.workdir)
    home = posixpath.dirname(posixpath.dirname(program))
    venv = state.venvs.get(home)
    named = PYTHON.fullmatch(posixpath.basename(program))
    version = venv.version if venv is not None else f"3.{named[1]}" if named is not None and named[1] else state.python
    return replace(start, python=version, trouble=start.trouble or astray(scene, version))


def python_or_server(start: Start, words: tuple[str, ...], name: str, program: str, scene: Scene) -> Start:
    if PYTHON.fullmatch(name):
        return _python(start, words[1:], program, scene)
    found = served(name, words[1:], scene.situation(start.words))
    if found is not None:
        return _serving(start, name, words[1:], found, program, scene)
    entry = scene.state.files.find(program)
    if entry is not None and entry.source.endswith(".py"):
        return as_script(start, program, scene, words[1:], "")
    return replace(start, doubt=f"what {words[0]} does is not looked into")


def as_script(start: Start, script: str, scene: Scene, arguments: Sequence[str], program: str) -> Start:
    program = program or next((each.place for each in [find_program("python3", scene)] if each.place), "python3")
    search = search_path(scene, posixpath.dirname(script), set(), program)
    start = started(start, scene, program)
    return _managed(replace(start, script=script, search=search, arguments=tuple(arguments)), arguments)


def _managed(start: Start, arguments: Sequence[str]) -> Start:
    """Django's manage.py: where its own server listens."""
    if posixpath.basename(start.script) == "manage.py" and arguments and re.fullmatch(r"\w+\s+\S.*", arguments[0]):
        return replace(start, trouble=f"{arguments[0]!r} is one word of an exec form: manage.py has no such command")
    if posixpath.basename(start.script) == "manage.py" and tuple(arguments[:1]) == ("runserver",):
        target = next((each for each in arguments[1:] if not each.startswith("-")), "127.0.0.1:8000")
        host, _, port = target.rpartition(":")
        number = int(port) if port.isdigit() and len(port) < 6 else None
        return replace(start, host="0.0.0.0" if host == "0" else host or "127.0.0.1", port=number)
    return start


def _python(start: Start, rest: tuple[str, ...], program: str, scene: Scene) -> Start:  # noqa: PLR0911 - a case a form of Python's command line
    state = scene.state
    start = started(start, scene, program)
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
        elif (joined := re.fullmatch(r"-m(\w[\w.]*)", rest[0])) is not None:
            rest = ("-m", joined[1], *rest[1:])
        elif re.match(r"-m\s", rest[0]):
            return replace(start, trouble=f"{rest[0]!r} is one word, so Python looks for a module {rest[0][2:]!r}")
        else:
            return replace(start, doubt=f"what Python makes of {rest[0]} is not known here")
    # The environment, which alone may have spoken against it, is not minded by these.
    start = replace(start, trouble="" if flags & {"E", "I"} else start.trouble)
    if not rest:
        return replace(start, trouble="Python is started without a program: it reads standard input and ends")
    if rest[0] == "-m" and len(rest) > 1:
        return _module(start, rest, program, flags, scene)
    if rest[0] == "-c" and len(rest) > 1:
        return _code(start, rest[1], search_path(scene, state.workdir, flags, program))
    if rest[0] in ("-c", "-", "-m"):
        return replace(start, doubt="Python is given its program on the command line")
    return _file(start, rest, program, flags, scene)


def _module(start: Start, rest: tuple[str, ...], program: str, flags: set[str], scene: Scene) -> Start:
    """`python -m MODULE`: a server, a tool, or a module of the tree."""
    state = scene.state
    if "/" in rest[1] and "$" not in rest[1]:
        return replace(start, trouble=f"{rest[1]!r} is no module: its name has dots where its path has slashes")
    search = search_path(scene, state.workdir, flags, program)
    start = replace(start, search=search)
    if rest[1] in _UNDER and not _in_tree(rest[1], search, state):
        return _under(start, rest, program, scene)
    found = served(rest[1], rest[2:], scene.situation(start.words))
    if found is not None and not _in_tree(rest[1], search, state):
        return _serving(start, rest[1], rest[2:], found, program, scene)
    start = _http_server(start, rest[2:]) if rest[1] == "http.server" else start
    return replace(start, module=rest[1], arguments=tuple(rest[2:]))


def _file(start: Start, rest: tuple[str, ...], program: str, flags: set[str], scene: Scene) -> Start:
    """`python FILE`, or a directory with a `__main__.py`."""
    state = scene.state
    script = state.path(rest[0])
    entry = state.files.find(script)
    if posixpath.basename(script) in ("sh", "bash", "ash", "dash") and (entry is None or not entry.source):
        why = f"{program} is handed {rest[0]} as the file to run: a CMD in shell form stands behind the ENTRYPOINT"
        return replace(start, trouble=why)
    directory = script if entry and entry.kind == "directory" else posixpath.dirname(script)
    start = replace(
        start, script=script, search=search_path(scene, directory, flags, program), arguments=tuple(rest[1:])
    )
    if entry is None:
        doubt = state.files.doubt(script)
        if doubt:
            return replace(start, doubt=f"whether {script} is there: {doubt}")
        why = f"{program} is handed {rest[0]!r} as the file to run, and there is no {script}"
        base = scene.base
        if base is not None and base.entrypoint and start.words[: len(base.entrypoint)] == base.entrypoint:
            why += f": the base's own entry point {base.entrypoint[0]} stands before the CMD"
        if PYTHON.fullmatch(posixpath.basename(rest[0])) and rest[1:]:
            # What was meant can be judged all the same.
            start = _python(replace(start, script=""), rest[1:], program, scene)
            start = replace(start, doubt="")
        return replace(start, trouble=why)
    return _managed(start, rest[1:])


def _http_server(start: Start, rest: tuple[str, ...]) -> Start:
    """`python -m http.server`: where it listens."""
    line = read_line(rest, frozenset(["--cgi", "-h", "--help"]))
    host = line.last("-b", "--bind") or "0.0.0.0"
    return replace(start, host=host, port=number(line.operands[0] if line.operands else None, 8000))


def _under(start: Start, rest: tuple[str, ...], program: str, scene: Scene) -> Start:
    """`python -m debugpy` and its kin: the words of Python's that they are given."""
    name, words = rest[1], list(rest[2:])
    if name == "coverage" and words[:1] == ["run"]:
        words = words[1:]
    while words and words[0].startswith("-") and words[0] != "-m":
        words = words[2:] if words[0] in _UNDER[name] else words[1:]
    if not words:
        return replace(start, doubt=f"{name} is told what to start")
    inner = _python(start, tuple(words), program, scene)
    needs = () if name in ("pdb", "cProfile", "trace") else (name,)
    return replace(inner, needs=(*needs, *inner.needs))


def _code(start: Start, code: str, search: tuple[str, ...]) -> Start:
    """`python -c`: what its text imports is loaded."""
    imported = imported_by(code)
    if not imported:
        return replace(start, doubt="Python is given its program on the command line")
    own = [each for each in imported if each.partition(".")[0] not in sys.stdlib_module_names]
    if not own:
        return replace(start, doubt="Python is given its program on the command line")
    return replace(start, module=own[0], application="*", server="python", also=tuple(own[1:]), search=search)


def _in_tree(module: str, search: tuple[str, ...], state: Stage) -> bool:
    return any(
        state.files.find(f"{place}/{module}{suffix}") is not None
        for place in search
        if not place.endswith("-packages")
        for suffix in (".py", "/__init__.py")
    )


def _serving(start: Start, name: str, arguments: tuple[str, ...], found: Served, program: str, scene: Scene) -> Start:
    state = scene.state
    directory = state.path(found.directory) if found.directory and "$" not in found.directory else state.workdir
    program = f"{state.path(found.home)}/bin/python" if found.home else program
    search = search_path(scene, directory, set(), program)
    start = started(start, scene, program)
    start = replace(
        start,
        workdir=directory if name in ("gunicorn", "uwsgi") else state.workdir,
        server=name,
        module=found.module,
        application=found.application,
        arguments=arguments,
        needs=tuple(found.needs),
        also=tuple(found.also),
        factory=found.factory,
        temporary=found.temporary,
        writes=tuple(each for each in found.writes if each and "$" not in each and "%" not in each),
        host=found.host,
        port=found.port,
        search=search,
        trouble=found.trouble or start.trouble,
        doubt=found.doubt,
    )
    if found.script:
        script = state.path(found.script)
        if state.files.find(script) is None and not state.files.doubt(script):
            return replace(start, trouble=f"{name} is to run {found.script}, which is not in the image")
        return replace(start, script=script, search=search_path(scene, posixpath.dirname(script), set(), program))
    return start
