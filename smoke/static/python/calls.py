"""What one call does as a module is loaded: files that it opens, variables that it demands, libraries it asks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from smoke.static.python.arguments import asked_by
from smoke.static.python.around import Guards
from smoke.static.python.commanding import CommandLines
from smoke.static.python.conditions import Version
from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.effects import CallOut, Demand, FileUse, Mention, Parsed, Use
from smoke.static.python.handed_app import refused_app
from smoke.static.python.making import says
from smoke.static.python.naming import Naming
from smoke.static.python.needing import needed_by
from smoke.static.python.nodes import below
from smoke.static.python.opening import opened_by
from smoke.static.python.outdated import outdated_by, outside_context
from smoke.static.python.parsing import parsed_form, read_path
from smoke.static.python.regexes import refused_pattern
from smoke.static.python.signatures import Own, refused_call, refused_coroutine
from smoke.static.python.variables import wanted_by
from smoke.static.regex import regex

_LOADS_DOTENV = frozenset({"load_dotenv", "read_env", "read_envfile", "environ_read_env", "dotenv_values"})
_READERS = frozenset(["environ.Env", "environs.Env", "starlette.config.Config"])
_REMOVES = regex(rb"rmtree|rmdir|unlink|removedirs|rename|move\(")
_OF_METADATA = ("version", "metadata", "distribution", "requires")
_STARTS = frozenset(f"subprocess.{each}" for each in ("run", "call", "check_call", "check_output", "Popen"))
_LIBRARIES = frozenset({"ctypes.CDLL", "ctypes.cdll.LoadLibrary", "ctypes.PyDLL"})
_METADATA = frozenset(
    [
        *[f"{module}.{name}" for module in ("importlib.metadata", "importlib_metadata") for name in _OF_METADATA],
        *["pkg_resources.get_distribution", "pkg_resources.require"],
    ]
)


class Calls:
    """Adds to a module's effects what its calls do."""

    def __init__(
        self, parsed: ast.Module, data: bytes, version: Version | None, own: Own, naming: Naming, plain: set[str]
    ) -> None:
        self.parsed, self.version, self.own, self.naming = parsed, version, own, naming
        self.effects, self.bindings = naming.effects, naming.bindings
        self.commands = CommandLines(parsed, data, naming.bindings, plain)
        self.removes = bool(_REMOVES.search(data))
        """Whether it takes files away: what is made may have been taken away before."""
        self.no_loop = version is not None and version >= (3, 14) and b"set_event_loop" not in data
        self.contexts = 0
        """`with` blocks around, and contexts that were pushed."""
        self.opened: dict[str, ast.expr] = {}
        """What `with` last called which name."""
        self.settings: dict[str, list[Demand]] = {}
        """What classes of pydantic's settings demand as they are called, by their names."""
        self.readers = set(self._readers(parsed.body))

    def _readers(self, body: Sequence[ast.stmt]) -> Iterator[str]:
        """Names of objects that read variables and demand each that has no default: of environs and its kin."""
        for node in body:
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            # With arguments it may know defaults, or a file that has them.
            plain = not (node.value.args or node.value.keywords)
            if plain and self.bindings.full(dotted(node.value.func)) in _READERS:
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))

    def read(self, node: ast.Call, around: Guards, *, inside: bool) -> None:
        """One call; `inside`: it is in a function of the module that is called as it is loaded."""
        name = self.bindings.full(dotted(node.func))
        last = name.rpartition(".")[2] or call_name(node).rpartition(".")[2]
        keywords = {each.arg: each.value for each in node.keywords if each.arg}
        if name == "dotenv.load_dotenv" and not node.args and {*keywords} <= {"override", "verbose"}:
            self.effects.reads_dotenv = True
        elif last in _LOADS_DOTENV or name in ("os.environ.update", "os.putenv", "environ.Env.read_env"):
            self.effects.gives_environment = True
        self.naming.called(node, name, last, keywords, around)
        if not {"keys", "other"} & around.takes and (variable := wanted_by(node, name, self.bindings, self.readers)):
            file = ".env" if name == "decouple.config" else ""
            self.effects.demands.append(Demand(node.lineno, variable, around.main, file=file))
        if not around.takes:
            self.effects.extras += needed_by(node, name, last, keywords)
            self._outdated(node, name, last, around.main, inside)
            self._asks(node, name, around.main)
            self._waits(node, name, last, around.main)
            self._hands_over(node, name, around.main)
        if "files" not in around.takes:
            self._file(node, name, last, keywords, around.main)

    def _outdated(self, node: ast.Call, name: str, last: str, main: bool, inside: bool) -> None:
        """What newer versions refuse."""
        self.effects.outdated += [replace(each, main=main) for each in outdated_by(node, name)]
        if name == "asyncio.get_event_loop" and self.no_loop and not inside:
            reason = "asyncio.get_event_loop() raises where no loop runs, since Python 3.14"
            self.effects.failing.append(Mention(node.lineno, reason, name, main))
        self.contexts += last == "push"
        if not self.contexts and not inside:
            made = self.bindings.expression(node.func.value) if isinstance(node.func, ast.Attribute) else node
            maker = self.bindings.full(dotted(made.func)) if isinstance(made, ast.Call) else ""
            self.effects.outdated += outside_context(node, last, maker, main)

    def _asks(self, node: ast.Call, name: str, main: bool) -> None:
        """Libraries and distributions that a call asks for by name, and what cannot be called as it is."""
        text = self.bindings.text(node.args[0]) if node.args else ""
        if name == "zoneinfo.ZoneInfo" or (name == "locale.setlocale" and len(node.args) == 2):
            wanted = self.bindings.text(node.args[-1]) if node.args else ""
            self.effects.localized += [Mention(node.lineno, wanted, name, main)] if wanted else []
        if name in _STARTS and (started := _first_word(node)):
            self.effects.programs.append(Mention(node.lineno, started, name, main))
        if name in _LIBRARIES and text and "/" not in text:
            self.effects.libraries.append(Mention(node.lineno, text, name, main))
        if name == "matplotlib.use" and text.lower() == "tkagg":
            self.effects.libraries.append(Mention(node.lineno, "libtk8.6.so", "matplotlib's TkAgg", main))
        if name == "os.getlogin":
            reason = (
                "os.getlogin() asks who is logged in at the terminal, and in a container nobody is: it raises OSError"
            )
            self.effects.failing.append(Mention(node.lineno, reason, name, main))
        if name in _METADATA and text:
            self.effects.distributions.append(Mention(node.lineno, text, name, main))
        if name in self.own.every and self.own.every[name].bases:
            self.effects.instances.append(Mention(node.lineno, name, "", main))
        reason = refused_call(node, self.own, self.bindings.paths) or refused_pattern(node, name, self.version)
        reason = reason or refused_app(node, name, self.bindings) or refused_coroutine(node, name, self.own)
        if reason:
            self.effects.failing.append(Mention(node.lineno, reason, name, main))

    def _waits(self, node: ast.Call, name: str, last: str, main: bool) -> None:
        """What a call demands of whoever starts the program: someone who types, arguments, variables."""
        if name == "input":
            self.effects.typed.append(Mention(node.lineno, name, name, main))
        self.effects.asked += self.commands.of(node, name, main)
        if node.args or node.keywords:
            return
        if last == "parse_args":
            self.effects.asked += asked_by(self.parsed, node, main)
        if isinstance(node.func, ast.Name):
            demanded = self.settings.get(name, [])
            self.effects.demands += [
                Demand(line=node.lineno, name=each.name, main=main, any_case=True, file=each.file) for each in demanded
            ]

    def _hands_over(self, node: ast.Call, name: str, main: bool) -> None:
        """A call of what another module has, and a file whose text is parsed."""
        if (out := self._call_out(node, name, main)) is not None:
            self.effects.calls_out.append(out)
        if form := parsed_form(node, name):
            paths = self.bindings.paths
            place = paths.place(read_path(node, paths, self.opened) or ast.Constant(None))
            self.effects.parsed += [Parsed(node.lineno, place, form, main)] if place is not None else []

    def _call_out(self, node: ast.Call, name: str, main: bool) -> CallOut | None:
        """A call of what another module has, where what it is given is listed."""
        spelled = dotted(node.func)
        first, _, rest = spelled.partition(".")
        level = 0
        if first in self.bindings.relative:
            level, name = (
                self.bindings.relative[first][0],
                ".".join(filter(None, (self.bindings.relative[first][1], rest))),
            )
        elif first not in self.bindings.imported:
            return None
        module, _, function = name.rpartition(".")
        spread = any(isinstance(each, ast.Starred) for each in node.args) or None in {
            each.arg for each in node.keywords
        }
        if spread or not function or (not module and not level):
            return None
        given = tuple(self.bindings.given(each) for each in node.args)
        named = tuple((each.arg or "", *self.bindings.given(each.value)) for each in node.keywords)
        return CallOut(
            line=node.lineno, module=module, level=level, function=function, given=given, named=named, main=main
        )

    def _file(self, node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr], main: bool) -> None:
        for opened in opened_by(node, name, last, keywords, self.bindings.paths):
            place = self.bindings.paths.place(opened.path)
            if place is None or ":/" in place.text:
                if opened.use is not Use.READ:
                    self.effects.may_make.append(None)
                continue
            alone, new = False, False
            if opened.use is Use.MAKE:
                method = not node.args or opened.path is not node.args[0]
                alone = name == "os.mkdir" or (method and says(node, "parents", 1) is False)
                # What is taken away first may be made again.
                new = not self.removes and (name == "os.mkdir" or says(node, "exist_ok", 2) is False)
            self.effects.files.append(
                FileUse(line=node.lineno, place=place, use=opened.use, main=main, alone=alone, new=new)
            )


def _first_word(node: ast.Call) -> str:
    """The program of a list of words that a call is given; empty where a shell or another environment decides."""
    match node.args:
        case [ast.List(elts=[ast.Constant(value=str(word)), *_]) | ast.Tuple(elts=[ast.Constant(value=str(word)), *_])]:
            plain = all(each.arg not in ("shell", "executable", "env", "cwd", None) for each in node.keywords)
            return word if plain else ""
    return ""


def gives_environment(node: ast.stmt) -> bool:
    """Whether something in a statement puts variables into the environment."""
    for each in below(node):
        if isinstance(each, ast.Call) and (
            call_name(each).rpartition(".")[2] in _LOADS_DOTENV or ".environ." in f".{dotted(each.func)}"
        ):
            return True
        stored = isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Store)
        if isinstance(each, ast.Subscript) and stored and dotted(each.value).endswith("environ"):
            return True
    return False
