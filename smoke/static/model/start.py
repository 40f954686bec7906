"""What a container would execute: the words of ENTRYPOINT and CMD, looked up on the final stage's file system."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smoke.manifest import Base
from smoke.static.model.commands import Stage
from smoke.static.model.entries import Followed, follow_command, follow_script
from smoke.static.model.filesystem import Cause, Entry
from smoke.static.model.image import Start
from smoke.static.model.installers import venv_site
from smoke.static.model.servers import Served, Situation, is_server, served
from smoke.static.model.steps import has_dash
from smoke.static.python.distributions import program_of
from smoke.static.python.installed import Brought, Installed, Presence

_PYTHON = re.compile(r"python(?:3(?:\.(\d+))?)?")
_PYTHON_FLAGS = re.compile(r"-[bBdEhiIOPqsSuvVx?]+")
_WRAPPERS = {
    "tini": 0, "dumb-init": 0, "catatonit": 0, "gosu": 1, "su-exec": 1, "env": 0, "nice": 0, "exec": 0, "time": 0,
    "ddtrace-run": 0, "opentelemetry-instrument": 0, "stdbuf": 0, "tini-static": 0, "ionice": 0, "chpst": 0, "nohup": 0,
}  # fmt: skip
"""Programs that start another one, with the number of operands of their own before it."""
_RUNNERS = frozenset(["uv", "poetry", "pipenv", "pdm"])
_SHELLS = frozenset(["sh", "bash", "ash", "dash"])
_RUN_VALUES = frozenset(
    [
        "--package",
        "--with",
        "--extra",
        "--group",
        "--python",
        "-p",
        "--project",
        "--directory",
        "--env-file",
        "--no-group",
        "--only-group",
        "-C",
    ]
)
MAX_DEPTH = 6
MAX_SCRIPT = 1 << 16


@dataclass(frozen=True)
class _Scene:
    """What the start is looked up in."""

    base: Base | None
    state: Stage
    installed: Installed
    depth: int = 0

    def within(self, found: Followed) -> _Scene:
        """The scene after a script has changed its environment and directory."""
        environment = {**self.state.environment, **found.environment}
        if "VIRTUAL_ENV" in found.environment and f"{found.environment['VIRTUAL_ENV']}/bin" not in environment.get(
            "PATH", ""
        ):
            environment["PATH"] = (
                f"{self.state.path(found.environment['VIRTUAL_ENV'])}/bin:{environment.get('PATH', '')}"
            )
        workdir = self.state.path(found.directory) if found.directory else self.state.workdir
        return replace(self, state=replace(self.state, environment=environment, workdir=workdir), depth=self.depth + 1)

    def read(self, path: str) -> str | None:
        """The text of a file that the tree has."""
        entry = self.state.files.find(self.state.path(path))
        if entry is None or not entry.source or self.state.read is None:
            return None
        return self.state.read(entry.source)[:MAX_SCRIPT].decode("utf-8", "replace")

    def exists(self, path: str) -> bool | None:
        """Whether a path is there; none when that can't be told."""
        place = self.state.path(path)
        if self.state.files.find(place) is not None:
            return True
        return None if self.state.files.doubt(place) else False


def start_of(
    base: Base | None,
    entrypoint: tuple[str, ...],
    command: tuple[str, ...],
    line: int,
    form: str,
    state: Stage | None,
    installed: Installed | None = None,
) -> Start:
    """The effective command. `form` says whether the ENTRYPOINT (which then ignores CMD) or CMD is in shell form."""
    words = entrypoint if form == "shell entrypoint" else (*entrypoint, *command)
    start = Start(words=words, line=line)
    if state is None or installed is None:
        return replace(start, doubt="the Dockerfile can't be followed")
    if base is None and (not entrypoint or not words):
        return replace(start, doubt="the base image is unknown, and with it its entry point")
    if not line and not any(entry.source.endswith(".py") for entry in state.files.entries.values()):
        return replace(start, doubt="there is neither ENTRYPOINT nor CMD: whoever runs it says what to start")
    if not words:
        return replace(start, trouble="neither the Dockerfile nor its base says what to start")
    if form == "shell command" and base is not None and not base.shell and not base.entrypoint:
        return replace(start, trouble=_no_shell(words, state))
    return _resolved(start, words, _Scene(base, state, installed))


def _no_shell(words: tuple[str, ...], state: Stage) -> str:
    found = state.surroundings().find(words[0]).place
    return f"the shell form needs {words[0]}, which the image does not have" if not found else ""


@dataclass(frozen=True)
class _Program:
    """Where a program is; with neither a place nor a doubt it surely is nowhere."""

    place: str = ""
    doubt: str = ""
    brought: Brought | None = None
    """The installation that brings it."""
    calls: str = ""
    """What it calls, where a project of the tree describes it: `module:function`."""


def _found(name: str, scene: _Scene) -> _Program:
    """The program that a name means. What installers put into a directory is told by what they installed."""
    state = scene.state
    surroundings = state.surroundings()
    doubt = ""
    for place in surroundings.places(name):
        directory, base = posixpath.split(place)
        entry = state.files.find(place)
        if entry is not None and entry.kind == "file":
            return _Program(place)
        if place in state.files.entries:
            doubt = doubt or state.files.doubt(posixpath.join(directory, state.files.entries[place].target))
            continue
        answer, brought = scene.installed.program(directory, base)
        if answer.presence is Presence.ASKED:
            return _Program(place, brought=brought, calls=answer.by if ":" in answer.by else "")
        if answer.presence is Presence.UNKNOWN:
            doubt = doubt or answer.reason
        for reason in state.files.every_doubt(place):
            if reason.cause is Cause.DISTRIBUTIONS and any(scene.installed.by_directory(directory)):
                continue
            if reason.cause is Cause.BASE and program_of(base):
                continue  # no base brings what a Python distribution does
            if not surroundings.surely_lacks(place, reason):
                doubt = doubt or reason
    if not doubt and scene.base is None and "/" not in name:
        doubt = "the base image is unknown, and with it its programs"
    return _Program(doubt=doubt)


def _resolved(start: Start, words: tuple[str, ...], scene: _Scene) -> Start:  # noqa: PLR0911 - a case a kind of program
    state = scene.state
    name = posixpath.basename(words[0])
    if name.endswith(".wasm"):
        return replace(start, doubt="another runtime than the engine's own starts it")
    if scene.depth > MAX_DEPTH:
        return replace(start, doubt="one program starts another, and so on")
    found = _found(words[0], scene)
    if not found.place:
        if found.doubt and not _odd(words[0]):
            if is_server(name) or _PYTHON.fullmatch(name):
                return _python_or_server(start, words, name, words[0], scene)
            return replace(start, doubt=f"whether {words[0]} is there: {found.doubt}")
        return replace(start, trouble=_absent(words[0], scene), needs=_needs(name))
    start = replace(start, program=found.place)
    if trouble := _not_executable(found, scene):
        return replace(start, trouble=trouble)
    if name in _WRAPPERS:
        return _wrapped(start, words, scene)
    if name in _RUNNERS and len(words) > 2 and words[1] == "run":
        return _runner(start, words, scene)
    if name in _SHELLS:
        return _shell(start, words, scene)
    if found.calls:
        module, _, function = found.calls.partition(":")
        return replace(
            _started(start, scene, found.place),
            module=module,
            application=function,
            server=name,
            search=_search(scene, "", set(), found.place),
        )
    entry = state.files.find(found.place)
    if entry is not None and entry.source and not entry.source.endswith(".py") and not _PYTHON.fullmatch(name):
        return _script(start, words, entry, scene)
    return _python_or_server(start, words, name, found.place, scene)


def _needs(name: str) -> tuple[str, ...]:
    found = served(name, [], Situation({}, lambda path: None, lambda path: None))
    return tuple(found.needs[:1]) if found is not None else ()


def _odd(word: str) -> bool:
    """Whether no program has such a name, whatever the image holds."""
    return any(letter.isspace() or letter in "$'\",]" for letter in word)


def _absent(word: str, scene: _Scene) -> str:
    if any(letter.isspace() for letter in word):
        return f"{word!r} is one word of an exec form, so a program of that whole name is started: there is none"
    if re.search(r"\$\{?\w", word):
        return f"{word} stays as it is in an exec form, which no shell reads: there is no program of that name"
    if any(letter in "'\",]" for letter in word):
        return f"{word} is what a shell makes of an exec form that is no JSON (it takes double quotes): no such program"
    place = next((each for each in scene.state.surroundings().places(word) if each in scene.state.files.entries), "")
    if place and scene.state.files.entries[place].kind == "link":
        return f"{place} is a link to {scene.state.files.entries[place].target}, which the image does not have"
    return f"{word} is not in the image" + ("" if "/" in word else " (on its PATH)")


def _not_executable(program: _Program, scene: _Scene) -> str:
    """Why a file that is there can't be executed; empty when nothing speaks against it."""
    state = scene.state
    if program.brought is not None:
        interpreter = program.brought.install.interpreter
        if interpreter and state.files.find(interpreter) is None and not _outside_doubt(state, interpreter):
            return f"{program.place} was made for {interpreter}, which its first line names and the image does not have"
        return ""
    entry = state.files.find(program.place)
    if entry is None:
        return ""
    if entry.line and entry.mode is not None and not _may_execute(entry, state):
        return f"{program.place} is not executable (mode {entry.mode:03o}): permission denied"
    if entry.source and state.read is not None:
        first = state.read(entry.source)
        trouble = state.surroundings().interpreter(entry, first)
        # A shell runs such a file itself; the kernel, which is asked first, does not.
        if not trouble and not scene.depth and _is_text(first) and not first.startswith(b"#!"):
            trouble = "exec format error, for it does not begin with #!"
        return f"{program.place} can't be executed: {trouble}" if trouble else ""
    return ""


def _is_text(data: bytes) -> bool:
    """Whether a file is surely no program of the machine."""
    try:
        return bool(data.strip()) and "\0" not in data[:MAX_SCRIPT].decode()
    except UnicodeDecodeError:
        return False


def _outside_doubt(state: Stage, path: str) -> str:
    """Why a program that no distribution brings may be at a path."""
    causes = (Cause.DISTRIBUTIONS,) if posixpath.basename(path).startswith("python") else ()
    return next((each for each in state.files.every_doubt(path) if each.cause not in (*causes, Cause.BASE)), "")


def _may_execute(entry: Entry, state: Stage) -> bool:
    mode, user = entry.mode or 0, state.number(state.user) if state.user else None
    if user is None or user == 0:
        return bool(mode & 0o111)
    return bool(mode & 0o111) if entry.user is None else bool(mode & (0o100 if entry.user == user else 0o011))


# -- programs that start others ---------------------------------------------------------------------------------------


def _wrapped(start: Start, words: tuple[str, ...], scene: _Scene) -> Start:
    rest = list(words[1:])
    given: dict[str, str] = {}
    own = _WRAPPERS[posixpath.basename(words[0])]
    while rest and (rest[0].startswith("-") or (match := re.fullmatch(r"([A-Za-z_]\w*)=(.*)", rest[0]))):
        if rest[0] == "--":
            rest.pop(0)
            break
        if not rest[0].startswith("-") and match is not None:
            given[match[1]] = match[2]
        takes = rest[0] in ("-u", "-n", "-C", "-p", "-c") and posixpath.basename(words[0]) not in ("tini", "dumb-init")
        rest = rest[2:] if takes else rest[1:]
    rest = rest[own:]
    if not rest:
        return replace(start, trouble=f"{words[0]} is not told what to start") if not own else start
    return _resolved(start, tuple(rest), scene.within(Followed(environment=given)))


def _runner(start: Start, words: tuple[str, ...], scene: _Scene) -> Start:
    """`uv run`, `poetry run` and their kin: the command, in the project's environment."""
    state = scene.state
    rest = list(words[2:])
    module = False
    while rest and rest[0].startswith("-"):
        module = module or rest[0] in ("-m", "--module")
        rest = rest[2:] if rest[0] in _RUN_VALUES else rest[1:]
    if not rest:
        return replace(start, trouble=f"{words[0]} run is not told what to start")
    tool = posixpath.basename(words[0])
    named = (
        state.environment.get("UV_PROJECT_ENVIRONMENT", "")
        if tool == "uv"
        else state.environment.get("VIRTUAL_ENV", "")
    )
    place = state.path(named or ".venv")
    own = [
        each
        for each in scene.installed.each
        if each.install.lock is not None and each.install.lock.kind.startswith(tool[:4])
    ]
    if place in state.venvs:
        scene = scene.within(Followed(environment={"PATH": f"{place}/bin:{state.environment.get('PATH', '')}"}))
    elif tool == "uv" or not own or any(each.install.directory not in state.sites for each in own):
        return replace(start, doubt=f"{tool} makes its environment when the container starts, or keeps it elsewhere")
    if module:
        rest = ["python", "-m", *rest]
    elif rest[0].endswith(".py"):
        rest = ["python", *rest]
    return _resolved(start, tuple(rest), scene)


def _shell(start: Start, words: tuple[str, ...], scene: _Scene) -> Start:
    flags = [word for word in words[1:] if word.startswith("-")]
    rest = [word for word in words[1:] if not word.startswith("-")]
    if any(re.fullmatch(r"-[a-z]*c", flag) for flag in flags) and rest:
        if ("'" in rest[0] or '"' in rest[0]) and _unclosed(rest[0]):
            return replace(start, trouble="the shell can't read its command: a quote is not closed")
        return _followed(start, follow_command(rest[0], scene.state.environment), scene)
    if rest and (text := scene.read(rest[0])) is not None:
        return _followed(
            start, follow_script(text, tuple(words[words.index(rest[0]) + 1 :]), scene.state.environment), scene
        )
    if rest and scene.exists(rest[0]) is False and "/" in rest[0]:
        return replace(start, trouble=f"{words[0]} is to run {rest[0]}, which is not in the image")
    return replace(start, doubt="a shell script decides what is started")


def _unclosed(text: str) -> bool:
    quote = ""
    escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
    return bool(quote) and "#" not in text


def _script(start: Start, words: tuple[str, ...], entry: Entry, scene: _Scene) -> Start:
    """A script of the tree that is executed."""
    text = scene.read(scene.state.path(start.program)) or ""
    first = text.partition("\n")[0]
    if re.search(r"python", first):
        return _as_script(start, start.program, scene, words[1:], "")
    if first.startswith("#!") and not re.search(r"\b(?:sh|bash|ash|dash)\b", first):
        return replace(start, doubt=f"what {words[0]} does is not looked into")
    if "\0" in text[:1000]:
        return replace(start, doubt=f"what {words[0]} does is not looked into")
    return _followed(start, follow_script(text, tuple(words[1:]), scene.state.environment), scene)


def _followed(start: Start, found: Followed, scene: _Scene) -> Start:
    inner = scene.within(found)
    for words in found.before:
        program = _found(words[0], inner)
        if not program.place and not program.doubt and re.fullmatch(r"[\w./-]+", words[0]) and not _builtin(words[0]):
            return replace(start, trouble=f"before anything else runs, {_absent(words[0], inner)}")
        operand = words[1] if len(words) > 1 and _PYTHON.fullmatch(words[0]) else ""
        if operand.endswith(".py") and "$" not in operand and inner.exists(operand) is False:
            place = inner.state.path(operand)
            return replace(start, trouble=f"before anything else runs, python is to run {place}: it is not there")
    if found.dash and has_dash(scene.state):
        return replace(start, trouble=f"the entry script fails: {found.dash}")
    if found.trouble or found.doubt or not found.words:
        return replace(
            start,
            trouble=found.trouble,
            doubt=found.doubt or ("" if found.trouble else "a shell script decides what is started"),
        )
    if "$" in found.words[0]:
        return replace(start, doubt="a variable decides what is started")
    return _resolved(start, found.words, inner)


def _builtin(name: str) -> bool:
    return name in (
        "[",
        "[[",
        "test",
        "read",
        "eval",
        "local",
        "declare",
        "alias",
        "let",
        "hash",
        "type",
        "kill",
        "break",
        "return",
        "continue",
        "shopt",
        "pushd",
        "popd",
        "builtin",
        "command",
        "exit",
        "shift",
        "false",
        "if",
        "then",
        "fi",
    )


# -- Python and its servers -------------------------------------------------------------------------------------------


def _started(start: Start, scene: _Scene, program: str) -> Start:
    """The Python that runs a program."""
    state = scene.state
    start = replace(start, workdir=state.workdir)
    home = posixpath.dirname(posixpath.dirname(program))
    venv = state.venvs.get(home)
    named = _PYTHON.fullmatch(posixpath.basename(program))
    version = venv.version if venv is not None else f"3.{named[1]}" if named is not None and named[1] else state.python
    return replace(start, python=version)


def _python_or_server(start: Start, words: tuple[str, ...], name: str, program: str, scene: _Scene) -> Start:
    if _PYTHON.fullmatch(name):
        return _python(start, words[1:], program, scene)
    situation = Situation(scene.state.environment, scene.read, scene.exists)
    found = served(name, words[1:], situation)
    if found is not None:
        return _serving(start, name, words[1:], found, program, scene)
    entry = scene.state.files.find(program)
    if entry is not None and entry.source.endswith(".py"):
        return _as_script(start, program, scene, words[1:], "")
    return replace(start, doubt=f"what {words[0]} does is not looked into")


def _as_script(start: Start, script: str, scene: _Scene, arguments: Sequence[str], program: str) -> Start:
    program = program or next((each.place for each in [_found("python3", scene)] if each.place), "python3")
    search = _search(scene, posixpath.dirname(script), set(), program)
    start = _started(start, scene, program)
    return _managed(replace(start, script=script, search=search, arguments=tuple(arguments)), arguments)


def _managed(start: Start, arguments: Sequence[str]) -> Start:
    """Django's manage.py: where its own server listens."""
    if posixpath.basename(start.script) == "manage.py" and arguments[:1] == ("runserver",):
        target = next((each for each in arguments[1:] if not each.startswith("-")), "127.0.0.1:8000")
        host, _, port = target.rpartition(":")
        number = int(port) if port.isdigit() and len(port) < 6 else None
        return replace(start, host=(host or "127.0.0.1").replace("0:", "0.0.0.0"), port=number)
    return start


def _python(start: Start, rest: tuple[str, ...], program: str, scene: _Scene) -> Start:  # noqa: PLR0911, PLR0912 - a case a form of Python's command line
    state = scene.state
    start = _started(start, scene, program)
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
        else:
            return replace(start, doubt=f"what Python makes of {rest[0]} is not known here")
    if not rest:
        return replace(start, trouble="Python is started without a program: it reads standard input and ends")
    if rest[0] == "-m" and len(rest) > 1:
        search = _search(scene, state.workdir, flags, program)
        start = replace(start, search=search)
        if rest[1] == "debugpy" or rest[1] == "pdb":
            return replace(start, doubt=f"{rest[1]} is told what to start")
        found = served(rest[1], rest[2:], Situation(state.environment, scene.read, scene.exists))
        if found is not None and not _in_tree(rest[1], search, state):
            return _serving(start, rest[1], rest[2:], found, program, scene)
        return replace(start, module=rest[1], arguments=tuple(rest[2:]))
    if rest[0] in ("-c", "-", "-m"):
        return replace(start, doubt="Python is given its program on the command line")
    script = state.path(rest[0])
    entry = state.files.find(script)
    directory = script if entry and entry.kind == "directory" else posixpath.dirname(script)
    start = replace(start, script=script, search=_search(scene, directory, flags, program), arguments=tuple(rest[1:]))
    if entry is None:
        doubt = state.files.doubt(script)
        if doubt:
            return replace(start, doubt=f"whether {script} is there: {doubt}")
        why = f"{program} is handed {rest[0]!r} as the file to run, and there is no {script}"
        base = scene.base
        if base is not None and base.entrypoint and start.words[: len(base.entrypoint)] == base.entrypoint:
            why += f": the base's own entry point {base.entrypoint[0]} stands before the CMD"
        if _PYTHON.fullmatch(posixpath.basename(rest[0])) and rest[1:]:
            # What was meant can be judged all the same.
            start = _python(replace(start, script=""), rest[1:], program, scene)
            start = replace(start, doubt="")
        return replace(start, trouble=why)
    return _managed(start, rest[1:])


def _in_tree(module: str, search: tuple[str, ...], state: Stage) -> bool:
    return any(
        state.files.find(f"{place}/{module}{suffix}") is not None
        for place in search
        if not place.endswith("-packages")
        for suffix in (".py", "/__init__.py")
    )


def _serving(start: Start, name: str, arguments: tuple[str, ...], found: Served, program: str, scene: _Scene) -> Start:
    state = scene.state
    directory = state.path(found.directory) if found.directory and "$" not in found.directory else state.workdir
    search = _search(scene, directory, set(), program)
    start = replace(
        _started(start, scene, program),
        workdir=directory if name == "gunicorn" else state.workdir,
        server=name,
        module=found.module,
        application=found.application,
        arguments=arguments,
        needs=tuple(found.needs),
        also=tuple(found.also),
        factory=found.factory,
        host=found.host,
        port=found.port,
        search=search,
        trouble=found.trouble,
        doubt=found.doubt,
    )
    if found.script:
        script = state.path(found.script)
        if state.files.find(script) is None and not state.files.doubt(script):
            return replace(start, trouble=f"{name} is to run {found.script}, which is not in the image")
        return replace(start, script=script, search=_search(scene, posixpath.dirname(script), set(), program))
    return start


def _search(scene: _Scene, first: str, flags: set[str], program: str) -> tuple[str, ...]:
    """`sys.path` without the standard library."""
    state, base = scene.state, scene.base
    found = [] if flags & {"I", "P"} or not first else [first]
    if not flags & {"E", "I"}:
        found += [
            state.path(each) for each in state.environment.get("PYTHONPATH", "").split(":") if each and "$" not in each
        ]
    home_of = posixpath.dirname(posixpath.dirname(program))
    venv = state.venvs.get(home_of)
    if venv is not None:
        found.append(venv_site(venv, home_of))
        if not venv.version:
            inside = (each.directory for each in state.installs)
            found += [each for each in inside if each.startswith(f"{home_of}/lib/")]
    if (venv is None or venv.system) and "S" not in flags:
        home = state.environment.get("PYTHONUSERBASE") or (f"{state.home()}/.local" if state.home() else "")
        version = (base.python if base is not None else "") or state.python
        if home and version and not flags & {"s", "I"} and not state.environment.get("PYTHONNOUSERSITE"):
            found.append(f"{home}/lib/python{version}/site-packages")
        found += state.sites or (() if base is None else base.sites)
    return tuple(dict.fromkeys(found))
