"""What a container would execute: the words of ENTRYPOINT and CMD, looked up on the final stage's file system."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from smoke.manifest import Base
from smoke.static.model.dash import dash_stops, has_dash
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.effective_command import Form, Start, WrittenCommand
from smoke.static.model.entries import Followed, follow_command, follow_script, in_vain
from smoke.static.model.executable import Executable, absent, find_program, is_odd, not_executable
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.installers.conda_prefix import TOOLS, root_prefix, run_in
from smoke.static.model.interpreted import PYTHON, as_script, python_or_server, started
from smoke.static.model.ownership import may_not_give
from smoke.static.model.privilege import as_user
from smoke.static.model.scene import Scene
from smoke.static.model.searchpath import search_path
from smoke.static.model.servers.background import detached
from smoke.static.model.servers.catalog import is_server, served
from smoke.static.model.servers.situation import Situation
from smoke.static.model.shell_syntax import trouble
from smoke.static.model.stage import Stage
from smoke.static.model.supervised import programs_of
from smoke.static.model.supervised_start import kept_running
from smoke.static.model.wrappers import is_wrapper, unwrap
from smoke.static.python.distributions import MISNAMED
from smoke.static.python.installed import Installed
from smoke.static.python.staying import soon_done

_RUNNERS = frozenset(["uv", "poetry", "pipenv", "pdm"])
_DEMANDING = frozenset(
    [
        *["alembic", "flask", "scrapy", "node", "npm", "ruby", "php", "perl"],
        *["jupyter", "jupyter-lab", "jupyter-notebook", "jupyter-server"],
    ]
)
"""Programs that need more than being there."""
_SHELLS = frozenset(["sh", "bash", "ash", "dash"])
_TAKES_ANY = frozenset(["find", "xargs", "echo", "printf", "expr", "test", "[", "supervisord", "concurrently"])
"""Programs to which words may be operands that mean something for a shell."""
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


def start_of(base: Base | None, written: WrittenCommand, state: Stage, installed: Installed) -> Start:
    """The effective command."""
    entrypoint, command, form, line = written.entrypoint, written.command, written.form, written.line
    words = entrypoint if form is Form.SHELL_ENTRYPOINT else (*entrypoint, *command)
    start = Start(words=words, line=line)
    if base is None and (not entrypoint or not words):
        return replace(start, doubt="the base image is unknown, and with it its entry point")
    if not line and not any(entry.source.endswith(".py") for entry in state.files.entries.values()):
        return replace(start, doubt="there is neither ENTRYPOINT nor CMD: whoever runs it says what to start")
    if not words:
        return replace(start, trouble="neither the Dockerfile nor its base says what to start")
    if form is Form.SHELL_COMMAND and base is not None and not base.shell and not base.entrypoint:
        return replace(start, trouble=_no_shell(words, state))
    odd = _operator(entrypoint, command, form) if line else ""
    start = replace(start, trouble=odd) if odd else _resolved(start, words, Scene(base, state, installed))
    if form is Form.SHELL_ENTRYPOINT and posixpath.basename(start.script) == "manage.py" and not start.arguments:
        why = "manage.py is not told what to do: it prints its help and ends"
        return replace(start, trouble=f"{why} (an ENTRYPOINT in shell form takes nothing of CMD)")
    return start


def _operator(entrypoint: tuple[str, ...], command: tuple[str, ...], form: Form) -> str:
    """What is wrong with a word of its own that only a shell understands, among those that a program is given."""
    words = (*entrypoint, *command)
    name = posixpath.basename(words[0])
    # A script of the image's own may have a shell read what it is given.
    scripted = bool(entrypoint) and not is_server(name) and not PYTHON.fullmatch(name)
    if (
        form is not Form.EXEC
        or scripted
        or name in _TAKES_ANY
        or any(posixpath.basename(each) in _SHELLS for each in words)
    ):
        return ""
    odd = next((each for each in words[1:] if each in ("&&", "||", "|", ">", ">>", "2>&1")), "")
    why = f"{odd} stays as it is in an exec form, which no shell reads: {words[0]} gets it and all behind it"
    return why if odd else ""


def _no_shell(words: tuple[str, ...], state: Stage) -> str:
    found = state.surroundings().find(words[0]).place
    return f"the shell form needs {words[0]}, which the image does not have" if not found else ""


def _resolved(  # noqa: PLR0911 - a case a reason not to look further
    start: Start, words: tuple[str, ...], scene: Scene
) -> Start:
    """What the words start, where their first one is a program that can be executed."""
    name = posixpath.basename(words[0])
    if name.endswith(".wasm"):
        return replace(start, doubt="another runtime than the engine's own starts it")
    if scene.depth > MAX_DEPTH:
        return replace(start, doubt="one program starts another, and so on")
    if scene.depth and re.fullmatch(r"\$\w+|\$\{\w+\}", words[0]):
        return replace(start, doubt="a variable of a script decides what is started")
    if name == "systemctl" or (name == "service" and "start" in words[2:]):
        return replace(start, trouble=_no_init(name))
    found = find_program(words[0], scene)
    if not found.place:
        if found.doubt and not is_odd(words[0]):
            return _perhaps(start, words, str(found.doubt), scene)
        return replace(start, trouble=absent(words[0], scene), needs=_needs(name))
    start = replace(start, program=found.place)
    if trouble := not_executable(found, scene):
        return replace(start, trouble=trouble)
    return _executed(start, words, found, scene)


def _executed(  # noqa: PLR0911 - a case a kind of program
    start: Start, words: tuple[str, ...], found: Executable, scene: Scene
) -> Start:
    """What a program that is there starts in turn, or is."""
    state = scene.state
    name = posixpath.basename(words[0])
    if name in _DEMANDING and (trouble := _missing_to(words, scene)):
        return replace(start, trouble=trouble)
    if trouble := detached(name, words[1:], scene):
        return replace(start, trouble=trouble)
    if name == "docker-entrypoint.sh" and len(words) > 1 and _is_bases_own(found.place, scene):
        return _resolved(start, words[1:], scene.within(Followed()))
    if name in TOOLS and (inner := run_in(state, words)) is not None:
        return _in_conda(start, inner[0], inner[1], scene)
    if is_wrapper(name, words):
        return _wrapped(start, words, scene)
    if name == "lambda-entrypoint.sh" and len(words) == 2 and "." in words[1] and _is_bases_own(found.place, scene):
        return _handler(start, words[1], scene)
    if (listed := programs_of(name, words, scene)) is not None:
        return kept_running(start, listed, scene, _resolved)
    if name in _RUNNERS and len(words) > 2 and words[1] == "run":
        return _runner(start, words, scene)
    if name in _SHELLS:
        return _shell(start, words, scene)
    if found.calls:
        module, _, function = found.calls.partition(":")
        search = search_path(scene, "", set(), found.place)
        made = started(start, scene, found.place)
        made = replace(made, module=module, application=function, server=name, search=search)
        return replace(made, arguments=tuple(words[1:]), calls=True)
    entry = state.files.find(found.place)
    held = entry is not None and (entry.text is not None or (entry.source and not entry.source.endswith(".py")))
    if entry is not None and held and not PYTHON.fullmatch(name):
        return _script(start, words, entry, scene)
    return python_or_server(start, words, name, found.place, scene)


def _no_init(name: str) -> str:
    if name == "systemctl":
        return "systemctl asks systemd, which does not run in a container: start the program itself"
    return "service starts a program in the background and ends, and the container with it"


def _handler(start: Start, handler: str, scene: Scene) -> Start:
    """The function of a module that AWS Lambda's own program calls."""
    module, _, function = handler.rpartition(".")
    start = started(start, scene, f"python{scene.state.python}")
    search = search_path(scene, scene.state.workdir, set(), f"/var/lang/bin/python{scene.state.python}")
    return replace(start, module=module.replace("/", "."), application=function, server="lambda", search=search)


def _is_bases_own(place: str, scene: Scene) -> bool:
    """Whether a program is that of a base of the catalog, untouched."""
    entry = scene.state.files.find(place)
    return scene.base is not None and place in scene.base.executables and entry is not None and not entry.line


def _perhaps(start: Start, words: tuple[str, ...], doubt: str, scene: Scene) -> Start:
    """A program that may be there: what it would do is told by its name, if at all."""
    name = posixpath.basename(words[0])
    if name.startswith("jupyter") and (trouble := _missing_to(words, scene)):
        return replace(start, trouble=trouble)
    if trouble := detached(name, words[1:], scene):
        return replace(start, trouble=trouble)
    if is_server(name) or PYTHON.fullmatch(name):
        return python_or_server(start, words, name, words[0], scene)
    if is_wrapper(name, words):
        return _wrapped(start, words, scene)
    return replace(start, doubt=f"whether {words[0]} is there: {doubt}")


def _needs(name: str) -> tuple[str, ...]:
    found = None if name in MISNAMED else served(name, [], Situation({}, lambda path: None, lambda path: None))
    return tuple(found.needs[:1]) if found is not None else ()


def _wrapped(start: Start, words: tuple[str, ...], scene: Scene) -> Start:
    inner = unwrap(words)
    user = _number(scene)
    if user and posixpath.basename(words[0]) in ("gosu", "su-exec") and len(words) > 1:
        why = f"{words[0]} is to become {words[1]}, which the user {scene.state.user} may not: it takes root"
        return replace(start, trouble=why)
    if not inner.words:
        return start if inner.may_be_alone else replace(start, trouble=f"{words[0]} is not told what to start")
    return _resolved(start, inner.words, scene.within(Followed(environment=inner.environment)))


def _runner(start: Start, words: tuple[str, ...], scene: Scene) -> Start:
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


def _missing_to(words: tuple[str, ...], scene: Scene) -> str:
    """What a program lacks that it needs; who knows of Node and Scrapy takes its time to load."""
    from smoke.static.model.demanding import missing_to  # noqa: PLC0415 - see above

    return missing_to(words, scene)


def _in_conda(start: Start, place: str, rest: list[str], scene: Scene) -> Start:
    """`conda run -n NAME ...`: the command, in that environment."""
    files = scene.state.files
    if not rest:
        return replace(start, trouble="conda run is not told what to start")
    if place not in scene.state.venvs and place != root_prefix(scene.state):
        unsure = next((each for each in files.every_doubt(place) if each.cause is not DoubtCause.BASE), "")
        if files.find(place) is None and not unsure:
            return replace(start, trouble=f"conda run finds no environment: nothing makes {place}")
        return replace(start, doubt=f"what the environment {place} holds is not known")
    path = f"{place}/bin:{scene.state.environment.get('PATH', '')}"
    return _resolved(start, tuple(rest), scene.within(Followed(environment={"PATH": path})))


def _shell(  # noqa: PLR0911 - a case a form
    start: Start, words: tuple[str, ...], scene: Scene
) -> Start:
    flags = [word for word in words[1:] if word.startswith("-")]
    rest = [word for word in words[1:] if not word.startswith("-")]
    if any(re.fullmatch(r"-[a-z]*c", flag) for flag in flags) and rest:
        if clause := trouble(rest[0]):
            return replace(start, trouble=f"the shell cannot read its command: {clause}")
        if not rest[0].strip():
            return replace(start, trouble=f"{words[0]} -c is given nothing to run: the container ends at once")
        if rest[0].strip() == "exec":
            return replace(start, trouble=f"{words[0]} -c takes one word, exec, which alone starts nothing")
        return _followed(start, follow_command(rest[0], scene.state.environment), scene)
    if rest and (text := scene.read(rest[0])) is not None:
        if clause := trouble(text):
            return replace(start, trouble=f"the shell cannot read {rest[0]}: {clause}")
        if "\r\n" in text and "\n" not in text.replace("\r\n", ""):
            return replace(start, trouble=f"each line of {rest[0]} ends with a carriage return, a letter to the shell")
        known = as_user(text, _number(scene))
        found = follow_script(known, tuple(words[words.index(rest[0]) + 1 :]), scene.state.environment)
        # The shell that is named reads it, whatever its first line says.
        asked = posixpath.basename(words[0]) in ("sh", "dash")
        errexit = bool(re.search(r"^set\s+-\w*e", text, re.MULTILINE)) or any("e" in each for each in flags)
        found.dash = dash_stops(text, errexit=errexit) if asked else ""
        return _followed(start, found, scene)
    if rest and scene.exists(rest[0]) is False and ("/" in rest[0] or _is_nowhere(rest[0], scene)):
        return replace(start, trouble=f"{words[0]} is to run {rest[0]}, which is not in the image")
    return replace(start, doubt="a shell script decides what is started")


def _is_nowhere(script: str, scene: Scene) -> bool:
    """Whether a shell finds a script neither where it stands nor on the PATH, where bash looks too."""
    found = find_program(script, scene)
    return script.endswith((".sh", ".bash")) and not found.place and not found.doubt


def _script(start: Start, words: tuple[str, ...], entry: PathEntry, scene: Scene) -> Start:
    """A script of the tree that is executed."""
    text = scene.read(scene.state.path(start.program)) or ""
    first = text.partition("\n")[0]
    if re.search(r"python", first):
        return as_script(start, start.program, scene, words[1:], "")
    if first.startswith("#!") and not re.search(r"\b(?:sh|bash|ash|dash)\b", first):
        return replace(start, doubt=f"what {words[0]} does is not looked into")
    if "\0" in text[:1000]:
        return replace(start, doubt=f"what {words[0]} does is not looked into")
    if clause := trouble(text):
        return replace(start, trouble=f"the shell cannot read {words[0]}: {clause}")
    known = as_user(text, _number(scene))
    return _followed(start, follow_script(known, tuple(words[1:]), scene.state.environment), scene)


def _number(scene: Scene) -> int | None:
    """The number of the user that the container runs as."""
    return scene.state.number(scene.state.user) if scene.state.user else None


def _followed(start: Start, found: Followed, scene: Scene) -> Start:
    inner = scene.within(found)
    if gone := next((each for each in found.sourced if scene.exists(each) is False), ""):
        found.trouble = f"the entry script reads {gone}, which is not in the image"
    start = replace(
        start,
        demanded=(*start.demanded, *found.demanded),
        written=(*start.written, *found.written),
        ran=tuple(found.before),
        proxied=start.proxied or found.proxied,
    )
    if found.prepares and (done := _does_its_work(found, inner)):
        found.trouble = in_vain(done)
    for words in found.before:
        if found.is_own(words[0]):
            continue
        program = find_program(words[0], inner)
        if not program.place and not program.doubt and re.fullmatch(r"[\w./-]+", words[0]) and not _builtin(words[0]):
            return replace(start, trouble=f"before anything else runs, {absent(words[0], inner)}")
        if trouble := _missing_to(words, inner) or may_not_give(inner.state, words):
            return replace(start, trouble=f"before anything else runs, {trouble}")
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


def _does_its_work(found: Followed, scene: Scene) -> str:
    """The program of the tree that an entry script ends with, where nothing may keep that; empty for others."""
    file = next((word for word in found.words[:2] if word.endswith(".py")), "")
    text = scene.read(file) if file else None
    return found.prepares if text is not None and soon_done(text) else ""


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
