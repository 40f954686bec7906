"""Programs that a step runs, and which files of the tree they may write anew: what those then hold is not known."""

from __future__ import annotations

import ast
import posixpath
import shlex
import warnings
from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.model.filesystem import PathEntry
from smoke.static.model.given_code import imported_by
from smoke.static.model.stage import Stage
from smoke.static.python.nodes import below
from smoke.static.regex import regex

MAX_PROGRAMS = 40
"""Programs, with what they import of the tree, that are read for one command."""
MAX_PROGRAM = 200_000
_PYTHON = regex(r"(?:.*/)?(?:python|pypy)(?:3(?:\.\d+)?)?")
_SHELL = regex(r"(?:.*/)?(?:ba|da|a|z)?sh|\.|source")
_WRITES = regex(
    r"write|\bopen\([^)]*,[^)]*['\"][rbt]*[wax+]|\bmode\s*=\s*['\"][rbt]*[wax+]|\bshutil\b|\bsubprocess\b|\bsystem\("
    r"|\bpopen|\brename\(|\bos\.replace\(|\bprint\([^)]*file\s*=|\bdump\(|\bsave|\bgenerate|\boutput|\bto_(?:csv|json)\("
)
"""What in a program's text says that it may write files, by itself or by what it calls."""
_NAME = regex(r"[\w.+-]*\w")
_EVERY = regex(r"(?:.*[*\]}/])?\.py[iw]?")
"""A pattern of names, or the rest of one that is put together: any file of Python's may be meant."""
_SHELL_WRITES = frozenset(["sed", "perl", "tee", "cp", "mv", "install", "rsync", "envsubst", "patch", "ed", "ex"])
_REDIRECTED = regex(r"(?:^|[^&<>-])>>?\s*[\"']?([^\s\"';&|<>()]+)")
_REWRITERS = frozenset(
    [
        *["2to3", "futurize", "pasteurize", "autoflake", "pyupgrade", "unasync", "strip-hints", "modernize", "rsync"],
        *["perl", "ed", "ex", "bump2version", "bumpversion", "bump-my-version", "lib2to3", "pyarmor", "pyminify"],
    ]
)
"""Tools that write anew what they are given."""
_GIT = frozenset(["apply", "am", "checkout", "switch", "restore", "reset", "pull", "merge", "submodule", "stash"])
_RUNNERS = frozenset(["uv", "poetry", "pipenv", "pdm", "hatch", "rye", "conda", "mamba", "micromamba", "coverage"])
"""Tools that run a program where they are told to, and are followed elsewhere where they install."""
_OUTPUT = regex(r"-o|--(?:out|dest|target|write)[\w-]*|--[\w-]*(?:_out|-out|output)")
"""Options of any tool that name what it writes."""


class _Reach(Struct):
    """What the programs of one command may write to."""

    names: set[str] = field(default_factory=set)
    """Names of files, wherever they are."""
    directories: set[str] = field(default_factory=set)
    """Directories below which any file may be another."""
    python: set[str] = field(default_factory=set)
    """Directories below which any file of Python's may be another."""
    seen: set[str] = field(default_factory=set)
    """Programs that were read."""

    def holds(self, path: str) -> bool:
        """Whether a file may be written anew."""
        directories = self.directories | (self.python if path.endswith((".py", ".pyi", ".pyw")) else set())
        return posixpath.basename(path) in self.names or any(
            f"{path}/".startswith(f"{each.rstrip('/')}/") for each in directories
        )


def rewrite(stage: Stage, words: Sequence[str]) -> None:
    """Follow a command: each file that its program may write anew is there still, and may hold anything."""
    reach = _Reach()
    _command(stage, list(words), reach)
    _apply(stage, reach)


def rewrite_by_code(stage: Stage, code: str) -> None:
    """Follow code that Python is given without a file."""
    reach = _Reach()
    _code(stage, code, [], stage.workdir, reach)
    _apply(stage, reach)


def _apply(stage: Stage, reach: _Reach) -> None:
    if not (reach.names or reach.directories or reach.python):
        return
    for path, entry in list(stage.files.entries.items()):
        if entry.kind == "file" and (entry.source or entry.text is not None) and reach.holds(path):
            stage.files.entries[path] = replace(entry, source="", text=None)


def _command(stage: Stage, words: list[str], reach: _Reach) -> None:
    name, rest = posixpath.basename(words[0]), words[1:]
    if name in _RUNNERS:
        inner = rest[rest.index("run") + 1 :] if "run" in rest else []
        while inner and inner[0].startswith("-"):
            inner = inner[1:]
        if inner:
            _command(stage, inner, reach)
    elif _PYTHON.fullmatch(words[0]):
        _python(stage, rest, reach)
    elif name.endswith(".py"):
        _python(stage, words, reach)
    elif _SHELL.fullmatch(words[0]):
        script = next((word for word in rest if not word.startswith("-")), "")
        _program(stage, stage.path(script), rest, reach)
    elif name in ("make", "gmake"):
        _program(stage, stage.path("Makefile"), rest, reach)
    elif name == "git":
        reach.directories |= {stage.workdir} if rest and rest[0] in _GIT else set()
    elif "/" in words[0]:
        _program(stage, stage.path(words[0]), rest, reach)
    elif name == "node" and rest:
        _program(stage, stage.path(rest[0]), rest[1:], reach)
    else:
        _tool(stage, name, rest, reach)


def _python(stage: Stage, rest: list[str], reach: _Reach) -> None:
    """Python, by its command line."""
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        rest = rest[2:] if rest[0] in ("-W", "-X") else rest[1:]
    if rest[:1] == ["-c"] and len(rest) > 1:
        _code(stage, rest[1], rest[2:], stage.workdir, reach)
    elif rest[:1] == ["-m"] and len(rest) > 1:
        place = stage.path(rest[1].replace(".", "/"))
        module = next((each for each in (f"{place}.py", f"{place}/__main__.py") if stage.files.find(each)), "")
        if module:
            _program(stage, module, rest[2:], reach)
        else:
            _tool(stage, rest[1], rest[2:], reach)
    elif rest and rest[0] != "-":
        _program(stage, stage.path(rest[0]), rest[1:], reach)


def _program(stage: Stage, place: str, arguments: Sequence[str], reach: _Reach) -> None:
    """A program of the tree."""
    entry = stage.files.find(place)
    if place in reach.seen or len(reach.seen) >= MAX_PROGRAMS or entry is None or entry.kind != "file":
        return
    reach.seen.add(place)
    data = stage.content(entry)
    if data is None or len(data) > MAX_PROGRAM:
        return
    text = data.decode("utf-8", "replace")
    if place.endswith(".py") or "python" in text.partition("\n")[0]:
        _code(stage, text, arguments, posixpath.dirname(place), reach)
    else:
        _shell(stage, text, reach)


def _code(stage: Stage, code: str, arguments: Sequence[str], directory: str, reach: _Reach) -> None:
    """Code of Python's, with what it imports of the tree: it writes to what it names."""
    for module in imported_by(code, shell=False) or ():
        parts = module.replace(".", "/")
        for above in dict.fromkeys((directory, stage.workdir)):
            for each in (f"{above}/{parts}.py", f"{above}/{parts}/__init__.py"):
                _program(stage, posixpath.normpath(each), (), reach)
    if _WRITES.search(code):
        for literal in _literals(code):
            if _EVERY.fullmatch(literal):
                reach.python.add(stage.workdir)
            reach.names |= {*_NAME.findall(literal)}
        _given(stage, arguments, reach)


def _literals(code: str) -> Iterator[str]:
    """The texts in code, those of documentation left out; all of it where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield code
        return
    nodes = list(below(body))
    apart = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            apart |= {id(each) for each in node.values}
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "*" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value


def _given(stage: Stage, arguments: Sequence[str], reach: _Reach) -> None:
    """Files and directories among the words of a command."""
    for word in arguments:
        place = stage.path(word.partition("=")[2] or word)
        entry: PathEntry | None = stage.files.find(place)
        if entry is not None and place != "/":
            reach.directories.add(place)


def _shell(stage: Stage, text: str, reach: _Reach) -> None:
    """The lines of a shell's script, or of a Makefile: what they redirect to, edit, and run."""
    for line in text.replace("\\\n", " ").split("\n"):
        reach.names |= {posixpath.basename(each) for each in _REDIRECTED.findall(line)}
        try:
            words = shlex.split(line.strip().lstrip("@-"), comments=True)
        except ValueError:
            continue
        if not words:
            continue
        if words[0] in _SHELL_WRITES:
            reach.names |= {posixpath.basename(word) for word in words[1:]}
            reach.python |= {stage.workdir} if any(map(_EVERY.fullmatch, words[1:])) else set()
        elif len(reach.seen) < MAX_PROGRAMS:
            _command(stage, words, reach)


def _tool(stage: Stage, name: str, rest: Sequence[str], reach: _Reach) -> None:
    """A tool that the tree does not have: it writes to what an option of it names for that, or to all it is given."""
    if name in _REWRITERS:
        _given(stage, rest, reach)
        return
    if name.startswith("pip"):
        return  # --target is where it installs to, which is followed elsewhere
    protos = [posixpath.basename(word)[: -len(".proto")] for word in rest if word.endswith(".proto")]
    if protos:  # whatever directory its options name, what it makes is named after what it reads
        reach.names |= {f"{each}{suffix}" for each in protos for suffix in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")}
        return
    for place, word in enumerate(rest):
        option, equals, value = word.partition("=")
        if _OUTPUT.fullmatch(option):
            given = [value] if equals else rest[place + 1 : place + 2]
            # A tool that is told to write into `.` adds files there: that it writes others anew is seldom meant.
            _given(stage, [each for each in given if not f"{stage.workdir}/".startswith(f"{stage.path(each)}/")], reach)
