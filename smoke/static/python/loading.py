"""Reads what statements do as a module is loaded.

Only statements that surely run are looked at: none in functions, none whose failure a `try` takes, none under a
condition that cannot be decided."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from smoke.static.python import classes
from smoke.static.python.annotations import refused_annotation, refused_expression
from smoke.static.python.arguments import asked_by
from smoke.static.python.around import Around, taken
from smoke.static.python.called import (
    bound,
    leaves,
    misleading,
    own_names,
    plain_functions,
    plain_names,
    run_by,
    within,
)
from smoke.static.python.conditions import Answer, Version, call_name, decide, dotted
from smoke.static.python.effects import Asked, CallOut, Climb, Demand, Effects, Extra, FileUse, Named, Parsed, Use
from smoke.static.python.flags import Flags
from smoke.static.python.imported import imported_names, relative_names
from smoke.static.python.literals import Literals
from smoke.static.python.making import made_by, says
from smoke.static.python.needing import needed_by
from smoke.static.python.opening import log_files, opened_by, parsed_form, read_path
from smoke.static.python.outdated import bare_decorators, outdated_by, outside_context, twice_routed
from smoke.static.python.paths import Paths, Place, constants
from smoke.static.python.pydantic import demanded
from smoke.static.python.regexes import refused_pattern
from smoke.static.python.signatures import makers_of, own_of, refused_attribute, refused_call
from smoke.static.python.telling import TELLING, calls_own
from smoke.static.python.variables import Known, checked_by, wanted_by

_READERS = frozenset(["environ.Env", "environs.Env", "starlette.config.Config"])
_NAMING = frozenset(
    [
        *["INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "WSGI_APPLICATION", "ASGI_APPLICATION"],
        *["AUTHENTICATION_BACKENDS", "THIRD_PARTY_APPS", "LOCAL_APPS", "DJANGO_APPS", "MIDDLEWARE_CLASSES"],
    ]
)
"""Settings of Django whose strings are modules, or things in modules."""

_LOADS_DOTENV = frozenset({"load_dotenv", "read_env", "read_envfile", "environ_read_env", "dotenv_values"})
_FORMS = frozenset({"Form", "File", "UploadFile", "OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict"})
_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "api_route", "websocket"})
_REMOVES = re.compile(rb"rmtree|rmdir|unlink|removedirs|rename|move\(")
_DEEP = 6
"""Own functions that are followed into one another."""
_MOST_CALLS = 200
_OF_METADATA = ("version", "metadata", "distribution", "requires")
_LIBRARIES = frozenset({"ctypes.CDLL", "ctypes.cdll.LoadLibrary", "ctypes.PyDLL"})
_METADATA = frozenset(
    [
        *[f"{module}.{name}" for module in ("importlib.metadata", "importlib_metadata") for name in _OF_METADATA],
        *["pkg_resources.get_distribution", "pkg_resources.require"],
    ]
)


def read_effects(parsed: ast.Module, data: bytes, version: Version | None) -> Effects:
    """The effects of a parsed module; `data` is its text."""
    old = version is not None and version < (3, 10)  # much that is common is refused
    if not old and not TELLING.search(data) and not calls_own(data):
        return Effects()
    reader = _Reader(parsed, version, data)
    reader.read(parsed.body, Around())
    reader.effects.failing += [Named(line, reason, "") for line, reason in twice_routed(parsed)]
    return reader.effects


def called_effects(data: bytes, version: Version | None, call: CallOut) -> Effects:
    """The effects of a call of a function, or class, of a module, as another module that is loaded makes it; `data` is
    the text of the one that is called."""
    if not TELLING.search(data):
        return Effects()
    parsed = ast.parse(data)
    reader = _Reader(parsed, version, data)
    for each in parsed.body:
        if isinstance(each, ast.ClassDef):
            reader.read([each], Around())
    reader.effects = Effects()
    line = next((each.lineno for each in parsed.body if getattr(each, "name", "") == call.function), 0)
    given = [ast.Constant(value) if known else ast.Name("", ast.Load()) for known, value in call.given]
    named = [
        ast.keyword(key, ast.Constant(value) if known else ast.Name("", ast.Load())) for key, known, value in call.named
    ]
    made = ast.Call(ast.Name(call.function, ast.Load()), [*given], named)
    for node in ast.walk(made):
        node.lineno = line  # type: ignore[attr-defined]
    reader.read([ast.Expr(made)], Around())
    return reader.effects


class _Reader:
    def __init__(self, parsed: ast.Module, version: Version | None, data: bytes) -> None:
        self.version, self.removes = version, bool(_REMOVES.search(data))
        self.effects = Effects()
        plain = plain_names(parsed, data)
        self.functions = plain_functions(parsed, data, plain)
        self.own = own_of(parsed, self.functions, plain)
        self.makers = makers_of(self.own)
        self.flags = Flags(parsed, plain)
        self.contexts = 0
        """`with` blocks around, and contexts that were pushed."""
        self.entered: list[str] = []
        """The module's own functions that are read now, the outermost first."""
        self.left_to_read = _MOST_CALLS
        self.perhaps: set[str] = set()
        """Those that may run, as far as they were looked at for that."""
        self.imported = imported_names(parsed)
        self.relative = relative_names(parsed)
        self.paths = Paths(parsed.body, imported=self.imported)
        self.parsers = parsed
        self.no_loop = version is not None and version >= (3, 14) and b"set_event_loop" not in data
        self.literals = Literals(parsed, plain)
        self.opened: dict[str, ast.expr] = {}
        """What `with` last called which name."""
        self.settings: dict[str, list[Demand]] = {}
        self.readers = set(self._readers(parsed.body))
        future = "annotations" in self.imported.values() and "annotations" in self.imported
        self.lazy_annotations = future or version is None or version >= (3, 14)

    def _readers(self, body: Sequence[ast.stmt]) -> Iterator[str]:
        """Names of objects that read variables and demand each that has no default: of environs and its kin."""
        for node in body:
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            # With arguments it may know defaults, or a file that has them.
            if self._full(dotted(node.value.func)) in _READERS and not (node.value.args or node.value.keywords):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))

    def read(self, body: Sequence[ast.stmt], around: Around) -> None:
        """Statements that run one after the other."""
        for node in body:
            self._statement(node, around)
            if self.entered and leaves(node, self.imported):
                break

    def _statement(self, node: ast.stmt, around: Around) -> None:  # noqa: PLR0912 - a case a statement
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                self._if(test, body, orelse, around)
            case ast.Try() | ast.TryStar():
                takes = around.takes | {each for handler in node.handlers for each in taken(handler)}
                self._maybe([each for handler in node.handlers for each in handler.body])
                self.read(node.body, Around(around.main, frozenset(takes)))
                self.read(node.orelse, around)
                self.read(node.finalbody, around)
            case ast.With() | ast.AsyncWith():
                suppressed = any(call_name(item.context_expr).endswith("suppress") for item in node.items)
                for item in node.items:
                    self._expression(item.context_expr, around)
                    if isinstance(item.optional_vars, ast.Name):
                        self.opened[item.optional_vars.id] = item.context_expr
                self.contexts += 1
                self.read(node.body, Around(around.main, around.takes | {"files", "keys"}) if suppressed else around)
                self.contexts -= 1
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, around)
            case ast.ClassDef():
                self._class(node, around)
            case ast.For() | ast.While() | ast.AsyncFor() | ast.Match():
                self._maybe([node])  # how often it runs cannot be told
            case ast.AnnAssign():
                self._annotation(node.annotation)
                self._assigned(node.target, node.value, around)
            case ast.Assign():
                for target in node.targets:
                    self._assigned(target, node.value, around)
            case ast.AugAssign():
                self._assigned(node.target, node.value, around)
            case ast.Expr(value=value):
                self._expression(value, around)
            case ast.Return(value=ast.expr() as value):
                self._expression(value, around)
            case ast.Raise() | ast.Assert():
                self._raised(node, around)
            case ast.Delete() | ast.Return():
                pass

    def _raised(self, node: ast.Raise | ast.Assert, around: Around) -> None:
        """What surely raises: a plain `raise`, or an `assert` of what does not hold for this Python."""
        if around.takes or (isinstance(node, ast.Assert) and decide(node.test, self.version) is not Answer.NO):
            return
        if isinstance(node, ast.Raise) and node.exc is None:
            return
        what = "AssertionError" if isinstance(node, ast.Assert) else call_name(node.exc or ast.Name("an error"))
        if what.rpartition(".")[2] != "SystemExit":
            self.effects.failing.append(Named(node.lineno, f"it raises {what} as it is loaded", "", around.main))

    def _if(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], around: Around) -> None:
        answer = decide(test if self.entered else self.flags.filled(test), self.version)
        if answer in (Answer.YES, Answer.MAIN):
            self.read(body, Around(around.main or answer is Answer.MAIN, around.takes))
        elif answer is Answer.NO:
            self.read(orelse, around)
        else:
            if not around.takes and (variable := checked_by(test, body, self._known())):
                self.effects.demands.append(Demand(test.lineno, variable, around.main))
            self._maybe([*body, *orelse])

    def _maybe(self, body: Sequence[ast.stmt]) -> None:
        """Statements that may run: what they give may be given, what they make may be there; they demand nothing."""
        for node in body:
            self.effects.gives_environment |= _gives(node)
        for each in within(body):
            if not isinstance(each, ast.Call):
                continue
            if isinstance(each.func, ast.Name) and each.func.id in self.functions:
                self._may_run(each.func.id)
            if (made := made_by(each, self._full(dotted(each.func)), self.paths)) is not None:
                self.effects.may_make.append(self.paths.place(made))

    def _may_run(self, name: str) -> None:
        if name not in self.perhaps:
            self.perhaps.add(name)
            self._maybe(self.functions[name].body)

    def _assigned(self, target: ast.expr, value: ast.expr | None, around: Around) -> None:
        if isinstance(target, ast.Subscript) and dotted(target.value).endswith("environ"):
            self.effects.gives_environment = True
        if value is None:
            return
        self._expression(value, around)
        above, _, key = dotted(target).rpartition(".")
        if key in ("imports", "include") and above.endswith(".conf") and self._knows_celery() and not around.takes:
            self._imports_of_celery(key, value)
        if isinstance(target, ast.Name) and target.id in _NAMING:
            self.effects.settings += [Named(line, text, target.id) for line, text in constants(value) if _dotted(text)]
        if (
            isinstance(target, ast.Name)
            and target.id == "AUTH_USER_MODEL"
            and (text := self._text(value)).count(".") == 1
        ):
            self.effects.settings.append(Named(value.lineno, text, "AUTH_USER_MODEL"))
        if isinstance(target, ast.Name) and target.id == "LOGGING":
            self.effects.settings_files += list(log_files(value, self.paths))
        if isinstance(target, ast.Name) and target.id == "DATABASES":
            engines = _values(value, "ENGINE")
            self.effects.settings += [Named(line, text, "DATABASES") for line, text in engines if _dotted(text)]

    def _expression(self, node: ast.expr, around: Around) -> None:
        """Everything in an expression that runs with it: lambdas and comprehensions left out."""
        pending: list[ast.AST] = [node]
        while pending:
            each = pending.pop(0)
            if isinstance(each, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                continue
            if isinstance(each, ast.IfExp | ast.BoolOp):
                # Only the first part surely runs.
                pending.insert(0, each.test if isinstance(each, ast.IfExp) else each.values[0])
                continue
            if isinstance(each, ast.Call):
                self._call(each, around)
                self._enter(each, around, waited=False)
                if run := run_by(each, self._full(dotted(each.func))):
                    self._enter(run, around, waited=True)
            elif isinstance(each, ast.Await):
                self._enter(each.value, around, waited=True)
            elif isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load):
                self._subscript(each, around)
            elif isinstance(each, ast.Attribute) and not around.takes:
                self._attribute(each, around)
            if self.version is not None and not around.takes:
                reason = refused_expression(each, self.version, self._full)
                self.effects.refused += [(node.lineno, reason)] if reason else []
            pending += ast.iter_child_nodes(each)

    def _attribute(self, node: ast.Attribute, around: Around) -> None:
        reason = refused_attribute(node, self.own)
        self.effects.failing += [Named(node.lineno, reason, "", around.main)] if reason else []
        first = node.value.id if isinstance(node.value, ast.Name) else ""
        if self.entered and first in self.imported and isinstance(node.ctx, ast.Load):
            name = f"{self.imported[first]}.{node.attr}"
            self.effects.attributes.append(Named(node.lineno, name, "", around.main))

    def _subscript(self, node: ast.Subscript, around: Around) -> None:
        match node:
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(count))):
                place = self.paths.place(value) if count > 0 and not around.takes else None
                if place is not None and place.of_file:
                    self.effects.climbs.append(Climb(node.lineno, place, count, around.main))
        name = self._full(dotted(node.value))
        if not around.takes and (key := self.literals.lacks(node)):
            message = f"{key[0]} has no key {key[1]!r}: it has {key[2]}"
            self.effects.failing.append(Named(node.lineno, message, "", around.main))
        operand = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if name == "sys.argv" and not around.takes and isinstance(operand, int) and operand > 0:
            self.effects.asked.append(Asked(node.lineno, "sys.argv", (), operand, around.main))
        if name == "os.environ" and "keys" not in around.takes and (variable := self._text(node.slice)):
            self.effects.demands.append(Demand(node.lineno, variable, around.main))

    def _text(self, node: ast.expr | None) -> str:
        """The text that an expression surely is; empty when that cannot be told."""
        known = self.paths.expression(node) if node is not None else None
        return known.value if isinstance(known, ast.Constant) and isinstance(known.value, str) else ""

    def _enter(self, node: ast.expr, around: Around, *, waited: bool) -> None:
        """The body of one of the module's own functions, as a call of it runs; of a coroutine as it is waited for."""
        call = node if isinstance(node, ast.Call) else None
        called = call.func if call is not None else node
        name = called.id if isinstance(called, ast.Name) else ""
        function = self.functions.get(name)
        if function is None and call is not None and name in self.makers:
            function = self.makers[name]
            call = ast.Call(call.func, [ast.Constant(None), *call.args], call.keywords)
        if function is None or name in self.entered or len(self.entered) >= _DEEP or self.left_to_read <= 0:
            return
        arguments = bound(function, call)
        if arguments is None or isinstance(function, ast.AsyncFunctionDef) is not waited:
            return
        if misleading(function, self.imported):
            self._maybe(function.body)
            return
        before = self.paths, self.imported
        self.paths = self.paths.within(function.body, own_names(function), arguments)
        self.imported = {**self.imported, **imported_names(ast.Module(function.body, []))}
        self.entered.append(name)
        self.left_to_read -= 1
        self.read(function.body, around)
        self.entered.pop()
        self.paths, self.imported = before

    def _full(self, name: str) -> str:
        """A dotted name with its first part as it was imported."""
        first, dot, rest = name.partition(".")
        return f"{self.imported.get(first, first)}{dot}{rest}"

    def _call(self, node: ast.Call, around: Around) -> None:
        name = self._full(dotted(node.func))
        last = name.rpartition(".")[2] or call_name(node).rpartition(".")[2]
        keywords = {each.arg: each.value for each in node.keywords if each.arg}
        if last in _LOADS_DOTENV or name in ("os.environ.update", "os.putenv", "environ.Env.read_env"):
            self.effects.gives_environment = True
        if name in ("os.environ.setdefault", "environ.setdefault"):
            self._default(node)
        self._names_modules(node, name, last, keywords, around)
        if not around.takes:
            self.effects.extras += needed_by(node, name, last, keywords)
            self.effects.outdated += [replace(each, main=around.main) for each in outdated_by(node, name)]
            if name == "asyncio.get_event_loop" and self.no_loop and not self.entered:
                reason = "asyncio.get_event_loop() raises where no loop runs, since Python 3.14"
                self.effects.failing.append(Named(node.lineno, reason, name, around.main))
            self._asks(node, name, around.main)
            self.contexts += last == "push"
            if not self.contexts and not self.entered:
                made = self.paths.expression(node.func.value) if isinstance(node.func, ast.Attribute) else node
                maker = self._full(dotted(made.func)) if isinstance(made, ast.Call) else ""
                self.effects.outdated += outside_context(node, last, maker, around.main)
        if name == "input" and not around.takes:
            self.effects.typed.append(Named(node.lineno, name, name, around.main))
        if not around.takes and last == "parse_args" and not node.args and not node.keywords:
            self.effects.asked += asked_by(self.parsers, node, around.main)
        self._told(node, name, around)
        if not around.takes and (out := self._call_out(node, name, around.main)) is not None:
            self.effects.calls_out.append(out)
        if name == "uvicorn.run" and "app_dir" not in keywords and not around.takes:
            self._served(node, around)
        plain = isinstance(node.func, ast.Name) and not node.args and not node.keywords and not around.takes
        self.effects.demands += [
            Demand(node.lineno, each.name, around.main, True, each.file)
            for each in (self.settings.get(name, []) if plain else [])
        ]
        if not around.takes and (form := parsed_form(node, name)):
            place = self.paths.place(read_path(node, self.paths, self.opened) or ast.Constant(None))
            self.effects.parsed += [Parsed(node.lineno, place, form, around.main)] if place is not None else []
        if "files" not in around.takes:
            self._file(node, name, last, keywords, around.main)

    def _names_modules(
        self, node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr], around: Around
    ) -> None:
        """Modules that a call names by text."""
        held = (
            node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
        )
        if held in _NAMING and last in ("append", "extend", "insert") and node.args:
            found = constants(node.args[-1])
            self.effects.settings += [Named(line, text, held) for line, text in found if _dotted(text)]
        if name in ("logging.config.dictConfig", "dictConfig") and node.args:
            self._logging(node.args[0])
        if name in ("django.urls.include", "django.conf.urls.include") and node.args and not around.takes:
            target = node.args[0].elts[0] if isinstance(node.args[0], ast.Tuple) and node.args[0].elts else node.args[0]
            text = self._text(target)
            self.effects.named += [Named(node.lineno, text, "include", around.main)] if _dotted(text) else []
        if name.endswith(".conf.update") and self._knows_celery():
            for key in ("include", "imports"):
                if key in keywords and not around.takes:
                    self._imports_of_celery(key, keywords[key])
        if last == "Celery":
            for key in ("include", "imports"):
                found = constants(keywords[key]) if key in keywords else []
                self.effects.named += [Named(line, text, f"Celery({key}=)") for line, text in found if _dotted(text)]

    def _knows_celery(self) -> bool:
        return any(each.partition(".")[0] == "celery" for each in self.imported.values())

    def _imports_of_celery(self, key: str, value: ast.expr) -> None:
        """Modules that a worker imports as it starts."""
        found = [(line, text) for line, text in constants(value) if _dotted(text)]
        self.effects.named += [Named(line, text, f"Celery({key}=)") for line, text in found]

    def _call_out(self, node: ast.Call, name: str, main: bool) -> CallOut | None:
        """A call of what another module has, where what it is given is listed."""
        spelled = dotted(node.func)
        first, _, rest = spelled.partition(".")
        level = 0
        if first in self.relative:
            level, name = self.relative[first][0], ".".join(filter(None, (self.relative[first][1], rest)))
        elif first not in self.imported:
            return None
        module, _, function = name.rpartition(".")
        spread = any(isinstance(each, ast.Starred) for each in node.args) or None in {
            each.arg for each in node.keywords
        }
        if spread or not function or (not module and not level):
            return None
        given = tuple(self._given(each) for each in node.args)
        named = tuple((each.arg or "", *self._given(each.value)) for each in node.keywords)
        return CallOut(node.lineno, module, level, function, given, named, main)

    def _given(self, node: ast.expr) -> tuple[bool, str | int | None]:
        """Whether an argument is a plain constant, and which."""
        known = self.paths.expression(node)
        plain = isinstance(known, ast.Constant) and isinstance(known.value, str | int | None)
        return (True, known.value) if plain and isinstance(known, ast.Constant) else (False, None)  # type: ignore[return-value]

    def _asks(self, node: ast.Call, name: str, main: bool) -> None:
        """Libraries and distributions that a call asks for by name, and what cannot be called as it is."""
        text = self._text(node.args[0]) if node.args else ""
        if name == "zoneinfo.ZoneInfo" or (name == "locale.setlocale" and len(node.args) == 2):
            wanted = self._text(node.args[-1]) if node.args else ""
            self.effects.localized += [Named(node.lineno, wanted, name, main)] if wanted else []
        if name in _LIBRARIES and text and "/" not in text:
            self.effects.libraries.append(Named(node.lineno, text, name, main))
        if name in _METADATA and text:
            self.effects.distributions.append(Named(node.lineno, text, name, main))
        if name in self.own.every and self.own.every[name].bases:
            self.effects.instances.append(Named(node.lineno, name, "", main))
        reason = refused_call(node, self.own, self.paths) or refused_pattern(node, name, self.version)
        if reason:
            self.effects.failing.append(Named(node.lineno, reason, name, main))

    def _told(self, node: ast.Call, name: str, around: Around) -> None:
        """What a call names or demands by its first argument."""
        if name.endswith(".config.from_object") and len(node.args) == 1 and not around.takes:
            text = _beginning(node.args[0]).replace(":", ".")
            self.effects.named += [Named(node.lineno, text, "from_object", around.main)] if _dotted(text) else []
        if not {"keys", "other"} & around.takes and (variable := wanted_by(node, name, self._known(), self.readers)):
            file = ".env" if name == "decouple.config" else ""
            self.effects.demands.append(Demand(node.lineno, variable, around.main, file=file))

    def _known(self) -> Known:
        return Known(self._text, self._full, self.paths.expression)

    def _served(self, node: ast.Call, around: Around) -> None:
        """The module of `uvicorn.run("module:app")`."""
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            module, colon, _ = first.value.partition(":")
            if colon and _dotted(module):
                self.effects.named.append(Named(node.lineno, module, "uvicorn.run", around.main))

    def _default(self, node: ast.Call) -> None:
        values = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if len(values) == 2 and values[0] == "DJANGO_SETTINGS_MODULE" and isinstance(values[1], str):
            self.effects.settings_module = values[1]
        else:
            self.effects.gives_environment = True

    def _logging(self, node: ast.expr) -> None:
        node = self.paths.expression(node)
        for key in ("class", "()"):
            for line, text in _values(node, key):
                if _dotted(text) and "." in text:
                    self.effects.named.append(Named(line, text, "dictConfig"))
        for line, text in _values(node, "filename"):
            self.effects.files.append(FileUse(line, Place(text), Use.WRITE))

    def _file(self, node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr], main: bool) -> None:
        for opened in opened_by(node, name, last, keywords, self.paths):
            place = self.paths.place(opened.path)
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
            self.effects.files.append(FileUse(node.lineno, place, opened.use, main, alone, new))

    # -- functions and classes ------------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, around: Around) -> None:
        self.effects.outdated += bare_decorators(node, self._full) if not around.takes else ()
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for default in (*node.decorator_list, *arguments.defaults, *filter(None, arguments.kw_defaults)):
            self._expression(default, around)
        for annotation in (*(each.annotation for each in every if each is not None), node.returns):
            if annotation is not None:
                self._annotation(annotation)
        routed = any(call_name(each).rpartition(".")[2] in _ROUTES for each in node.decorator_list)
        if routed:
            words = {
                self._full(dotted(inner))
                for part in (arguments,)
                for inner in ast.walk(part)
                if isinstance(inner, ast.Name | ast.Attribute)
            }
            form = next(
                (word for word in sorted(words) if word.startswith("fastapi") and word.rpartition(".")[2] in _FORMS), ""
            )
            if form:
                feature = form.rpartition(".")[2]
                self.effects.extras.append(Extra(node.lineno, "multipart", "python-multipart", feature))

    def _class(self, node: ast.ClassDef, around: Around) -> None:
        bases = [self._full(dotted(base)) for base in node.bases]
        for decorator in node.decorator_list:
            self._expression(decorator, around)
        for base in (*node.bases, *(each.value for each in node.keywords)):
            self._expression(base, around)
        if not around.takes:
            self.effects.refused += classes.refused(node, self._full)
        if bases == ["django.apps.AppConfig"]:
            self.effects.configs += [
                Named(each.lineno, text, "AppConfig.name")
                for each in node.body
                if isinstance(each, ast.Assign) and [dotted(target) for target in each.targets] == ["name"]
                if (text := self._text(each.value))
            ]
        if bases and bases[0].rpartition(".")[2] == "BaseSettings" and bases[0].startswith("pydantic"):
            self.settings[node.name] = list(demanded(node))
        if any(base.startswith("pydantic") for base in bases):
            for each in node.body:
                if isinstance(each, ast.AnnAssign) and any(
                    self._full(dotted(inner)) in ("pydantic.EmailStr", "pydantic.networks.EmailStr")
                    for inner in ast.walk(each.annotation)
                    if isinstance(inner, ast.Name | ast.Attribute)
                ):
                    self.effects.extras.append(Extra(each.lineno, "email_validator", "email-validator", "EmailStr"))
        self.read([each for each in node.body if not isinstance(each, ast.ClassDef)], around)

    def _annotation(self, node: ast.expr) -> None:
        if (
            not self.lazy_annotations
            and self.version is not None
            and (reason := refused_annotation(node, self.version))
        ):
            self.effects.refused.append((node.lineno, reason))


def _gives(node: ast.stmt) -> bool:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and (
            call_name(each).rpartition(".")[2] in _LOADS_DOTENV or ".environ." in f".{dotted(each.func)}"
        ):
            return True
        if (
            isinstance(each, ast.Subscript)
            and isinstance(each.ctx, ast.Store)
            and dotted(each.value).endswith("environ")
        ):
            return True
    return False


def _beginning(node: ast.expr | None) -> str:
    """The constant text that a string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _dotted(text: str) -> bool:
    return bool(text) and len(text) < 200 and all(part.isidentifier() for part in text.split("."))


def _values(node: ast.expr, key: str) -> list[tuple[int, str]]:
    """The constant strings that a key has in a literal of dictionaries, however deep."""
    found = []
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            for name, value in zip(each.keys, each.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key and isinstance(value, ast.Constant):
                    found.append((value.lineno, str(value.value)))
    return found
