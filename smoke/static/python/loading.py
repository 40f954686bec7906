"""Reads what statements do as a module is loaded.

Only statements that surely run are looked at: none in functions, none whose failure a `try` takes, none under a
condition that cannot be decided."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from smoke.static.python import classes
from smoke.static.python.annotations import refused_annotation, refused_expression
from smoke.static.python.around import Guards, taken
from smoke.static.python.bindings import Bindings
from smoke.static.python.bodies import leaves, within
from smoke.static.python.called import Function, plain_functions, plain_names, run_by
from smoke.static.python.calls import Calls, gives_environment
from smoke.static.python.conditions import Truth, Version, decide
from smoke.static.python.dotted import call_name, dotted
from smoke.static.python.effects import AskedArguments, CallOut, Climb, Demand, Effects, Mention
from smoke.static.python.flags import Flags
from smoke.static.python.flask_routes import twice_routed
from smoke.static.python.hooks import StartHooks, begins
from smoke.static.python.literals import Literals
from smoke.static.python.making import made_by
from smoke.static.python.naming import Naming
from smoke.static.python.needing import needed_by_fields, needed_by_route
from smoke.static.python.nodes import below, children
from smoke.static.python.outdated import bare_decorators, untyped_fields
from smoke.static.python.parameters import bound, misleading
from smoke.static.python.pydantic import demanded
from smoke.static.python.signatures import makers_of, own_of, refused_attribute
from smoke.static.python.staying import ends_with_its_threads
from smoke.static.python.telling import IMPORTS_LATER, TELLING, calls_own
from smoke.static.python.variables import asserted_by, checked_by

_DEEP = 6
"""Own functions that are followed into one another."""
_MOST_CALLS = 200


def read_effects(parsed: ast.Module, data: bytes, version: Version | None) -> Effects:
    """The effects of a parsed module; `data` is its text."""
    old = version is not None and version < (3, 10)  # much that is common is refused
    if not old and not TELLING.search(data) and not calls_own(data):
        return Effects()
    reader = _Reader(parsed, version, data)
    reader.read(parsed.body, Guards())
    reader.effects.failing += [Mention(line, reason, "") for line, reason in twice_routed(parsed)]
    if line := ends_with_its_threads(_last_of_all(parsed, reader.functions, version), data):
        reason = "the program ends here, and with it the thread that it has started"
        reader.effects.failing.append(Mention(line, reason, "", True))
    return reader.effects


def _last_of_all(parsed: ast.Module, functions: dict[str, Function], version: Version | None) -> list[ast.stmt]:
    """The statements that a program ends with: of the module, of its main guard, of the function that this calls."""
    body = parsed.body
    if body and isinstance(body[-1], ast.If) and decide(body[-1].test, version) is Truth.MAIN:
        body = body[-1].body
    last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    if isinstance(last, ast.Call) and isinstance(last.func, ast.Name) and last.func.id in functions:
        body = functions[last.func.id].body
    return body


def called_effects(data: bytes, version: Version | None, call: CallOut) -> Effects:
    """The effects of a call of a function, or class, of a module, as another module that is loaded makes it; `data` is
    the text of the one that is called."""
    if not TELLING.search(data) and not IMPORTS_LATER.search(data):
        return Effects()
    parsed = ast.parse(data)
    reader = _Reader(parsed, version, data)
    for each in parsed.body:
        if isinstance(each, ast.ClassDef):
            reader.read([each], Guards())
    reader.forget()
    line = next((each.lineno for each in parsed.body if getattr(each, "name", "") == call.function), 0)
    given = [ast.Constant(value) if known else ast.Name("", ast.Load()) for known, value in call.given]
    named = [
        ast.keyword(key, ast.Constant(value) if known else ast.Name("", ast.Load())) for key, known, value in call.named
    ]
    made = ast.Call(ast.Name(call.function, ast.Load()), [*given], named)
    for node in below(made):
        node.lineno = line  # type: ignore[attr-defined]
    reader.read([ast.Expr(made)], Guards())
    return reader.effects


class _Reader:
    """Walks the statements of one module, and those of its functions that it calls itself."""

    def __init__(self, parsed: ast.Module, version: Version | None, data: bytes) -> None:
        self.version = version
        plain = plain_names(parsed, data)
        self.functions = plain_functions(parsed, data, plain)
        self.own = own_of(parsed, self.functions, plain)
        self.makers = makers_of(self.own)
        self.flags = Flags(parsed, plain)
        self.literals = Literals(parsed, plain)
        self.entered: list[str] = []
        """The module's own functions that are read now, the outermost first."""
        self.left_to_read = _MOST_CALLS
        self.perhaps: set[str] = set()
        """Those that may run, as far as they were looked at for that."""
        self.effects, self.bindings = Effects(), Bindings(parsed)
        self.naming = Naming(self.effects, self.bindings)
        self.hooks = StartHooks(parsed=parsed, data=data, bindings=self.bindings, plain=plain)
        self.calls = Calls(parsed=parsed, data=data, version=version, own=self.own, naming=self.naming, plain=plain)
        imported = self.bindings.imported
        future = "annotations" in imported.values() and "annotations" in imported
        self.lazy_annotations = future or version is None or version >= (3, 14)

    def forget(self) -> None:
        """Begin with no effects, but with what is known of the module."""
        self.effects = self.naming.effects = self.calls.effects = Effects()

    def read(self, body: Sequence[ast.stmt], around: Guards) -> None:
        """Statements that run one after the other."""
        for node in body:
            self._statement(node, around)
            if self.entered and leaves(node, self.bindings.imported):
                break

    def _statement(self, node: ast.stmt, around: Guards) -> None:  # noqa: PLR0912 - a case a statement
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                self._if(test, body, orelse, around)
            case ast.Try() | ast.TryStar():
                takes = around.takes | {each for handler in node.handlers for each in taken(handler)}
                self._maybe([each for handler in node.handlers for each in handler.body])
                self.read(node.body, Guards(around.main, frozenset(takes)))
                self.read(node.orelse, around)
                self.read(node.finalbody, around)
            case ast.With() | ast.AsyncWith():
                suppressed = any(call_name(item.context_expr).endswith("suppress") for item in node.items)
                for item in node.items:
                    self._expression(item.context_expr, around)
                    if isinstance(item.optional_vars, ast.Name):
                        self.calls.opened[item.optional_vars.id] = item.context_expr
                self.calls.contexts += 1
                self.read(node.body, Guards(around.main, around.takes | {"files", "keys"}) if suppressed else around)
                self.calls.contexts -= 1
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, around)
            case ast.Import() | ast.ImportFrom() if self.entered and not around.takes:
                self.effects.ran[node.lineno] = around.main and self.effects.ran.get(node.lineno, True)
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

    def _raised(self, node: ast.Raise | ast.Assert, around: Guards) -> None:
        """What surely raises: a plain `raise`, or an `assert` of what does not hold for this Python."""
        if around.takes:
            return
        if isinstance(node, ast.Assert) and (variable := asserted_by(node.test, self.bindings)):
            self.effects.demands.append(Demand(node.lineno, variable, around.main))
        if isinstance(node, ast.Assert) and decide(node.test, self.version) is not Truth.NO:
            return
        if isinstance(node, ast.Raise) and node.exc is None:
            return
        what = "AssertionError" if isinstance(node, ast.Assert) else call_name(node.exc or ast.Name("an error"))
        if what.rpartition(".")[2] != "SystemExit":
            self.effects.failing.append(Mention(node.lineno, f"it raises {what} as it is loaded", "", around.main))

    def _if(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], around: Guards) -> None:
        answer = decide(test if self.entered else self.flags.filled(test), self.version)
        if answer in (Truth.YES, Truth.MAIN):
            self.read(body, Guards(around.main or answer is Truth.MAIN, around.takes))
        elif answer is Truth.NO:
            self.read(orelse, around)
        else:
            if not around.takes and (variable := checked_by(test, body, self.bindings)):
                self.effects.demands.append(Demand(test.lineno, variable, around.main))
            self._maybe([*body, *orelse])

    def _maybe(self, body: Sequence[ast.stmt]) -> None:
        """Statements that may run: what they give may be given, what they make may be there; they demand nothing."""
        for node in body:
            self.effects.gives_environment |= gives_environment(node)
        for each in within(body):
            if not isinstance(each, ast.Call):
                continue
            if isinstance(each.func, ast.Name) and each.func.id in self.functions:
                self._may_run(each.func.id)
            if (made := made_by(each, self.bindings.full(dotted(each.func)), self.bindings.paths)) is not None:
                self.effects.may_make.append(self.bindings.paths.place(made))

    def _may_run(self, name: str) -> None:
        if name not in self.perhaps:
            self.perhaps.add(name)
            self._maybe(self.functions[name].body)

    def _assigned(self, target: ast.expr, value: ast.expr | None, around: Guards) -> None:
        if isinstance(target, ast.Subscript) and dotted(target.value).endswith("environ"):
            self.effects.gives_environment = True
        if value is not None:
            self._expression(value, around)
            self.naming.assigned(target, value, around)

    def _expression(self, node: ast.expr, around: Guards) -> None:
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
                name = self.bindings.full(dotted(each.func))
                self.calls.read(each, around, inside=bool(self.entered))
                self._enter(each, around, waited=False)
                if run := run_by(each, name):
                    self._enter(run, around, waited=True)
                for hook in self.hooks.given_by(each, name):
                    self._begin(hook)
            elif isinstance(each, ast.Await):
                self._enter(each.value, around, waited=True)
            elif isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load):
                self._subscript(each, around)
            elif isinstance(each, ast.Attribute) and not around.takes:
                self._attribute(each, around)
            if self.version is not None and not around.takes:
                reason = refused_expression(each, self.version, self.bindings.full)
                self.effects.refused += [(node.lineno, reason)] if reason else []
            pending += children(each)

    def _attribute(self, node: ast.Attribute, around: Guards) -> None:
        reason = refused_attribute(node, self.own)
        self.effects.failing += [Mention(node.lineno, reason, "", around.main)] if reason else []
        first = node.value.id if isinstance(node.value, ast.Name) else ""
        if self.entered and first in self.bindings.imported and isinstance(node.ctx, ast.Load):
            name = f"{self.bindings.imported[first]}.{node.attr}"
            self.effects.attributes.append(Mention(node.lineno, name, "", around.main))

    def _subscript(self, node: ast.Subscript, around: Guards) -> None:
        match node:
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(count))):
                place = self.bindings.paths.place(value) if count > 0 and not around.takes else None
                if place is not None and place.of_file:
                    self.effects.climbs.append(Climb(node.lineno, place, count, around.main))
        name = self.bindings.full(dotted(node.value))
        if not around.takes and (key := self.literals.lacks(node)):
            message = f"{key[0]} has no key {key[1]!r}: it has {key[2]}"
            self.effects.failing.append(Mention(node.lineno, message, "", around.main))
        operand = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if name == "sys.argv" and not around.takes and isinstance(operand, int) and operand > 0:
            self.effects.asked.append(
                AskedArguments(line=node.lineno, by="sys.argv", options=(), count=operand, main=around.main)
            )
        if name == "os.environ" and "keys" not in around.takes and (variable := self.bindings.text(node.slice)):
            self.effects.demands.append(Demand(node.lineno, variable, around.main))

    def _enter(self, node: ast.expr, around: Guards, *, waited: bool) -> None:
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
        if misleading(function, self.bindings.imported):
            self._maybe(function.body)
            return
        self.entered.append(name)
        self.left_to_read -= 1
        with self.bindings.within(function, arguments):
            self.read(function.body, around)
        self.entered.pop()

    def _begin(self, hook: Function) -> None:
        """A hook of the module's app, as far as the app has to come to serve anything."""
        if misleading(hook, self.bindings.imported) or hook.name in self.entered:
            return
        own, effects = self.effects, self.effects.served or Effects()
        self.effects = self.naming.effects = self.calls.effects = effects
        self.entered.append(hook.name)
        with self.bindings.within(hook, {}):
            self._until_served(hook.body, Guards())
        self.entered.pop()
        self.effects = self.naming.effects = self.calls.effects = own
        self.effects.served = effects

    def _until_served(self, body: Sequence[ast.stmt], around: Guards) -> None:
        """Statements up to the `yield` at which the app serves."""
        for node in body:
            if not begins(node):
                self._statement(node, around)
                if leaves(node, self.bindings.imported):
                    return
                continue
            if isinstance(node, ast.Try):
                takes = around.takes | {each for handler in node.handlers for each in taken(handler)}
                self._until_served(node.body, Guards(around.main, frozenset(takes)))
            elif isinstance(node, ast.With | ast.AsyncWith):
                self._until_served(node.body, around)
            return

    # -- functions and classes ------------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, around: Guards) -> None:
        self.effects.outdated += bare_decorators(node, self.bindings.full) if not around.takes else ()
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for default in (*node.decorator_list, *arguments.defaults, *filter(None, arguments.kw_defaults)):
            self._expression(default, around)
        for annotation in (*(each.annotation for each in every if each is not None), node.returns):
            if annotation is not None:
                self._annotation(annotation)
        self.effects.extras += needed_by_route(node, self.bindings.full)
        if self.hooks.is_hook(node):
            self._begin(node)

    def _class(self, node: ast.ClassDef, around: Guards) -> None:
        bases = [self.bindings.full(dotted(base)) for base in node.bases]
        for decorator in node.decorator_list:
            self._expression(decorator, around)
        for base in (*node.bases, *(each.value for each in node.keywords)):
            self._expression(base, around)
        if not around.takes:
            self.effects.refused += classes.refused(node, self.bindings.full)
            self.effects.outdated += untyped_fields(node, bases)
        self.naming.configured(node, bases)
        if bases and bases[0].rpartition(".")[2] == "BaseSettings" and bases[0].startswith("pydantic"):
            self.calls.settings[node.name] = list(demanded(node))
        self.effects.extras += needed_by_fields(node, bases, self.bindings.full)
        self.read([each for each in node.body if not isinstance(each, ast.ClassDef)], around)

    def _annotation(self, node: ast.expr) -> None:
        if (
            not self.lazy_annotations
            and self.version is not None
            and (reason := refused_annotation(node, self.version))
        ):
            self.effects.refused.append((node.lineno, reason))
