"""Modules that are named by text as a module is loaded: settings of Django, Celery's tasks, handlers of logging."""

from __future__ import annotations

import ast

from smoke.static.python.around import Guards
from smoke.static.python.bindings import Bindings
from smoke.static.python.constant import beginning
from smoke.static.python.dotted import dotted
from smoke.static.python.effects import Borrowed, Effects, FileUse, Mention, Use
from smoke.static.python.nodes import below
from smoke.static.python.opening import log_files
from smoke.static.python.paths import CodePath, constants

_NAMING = frozenset(
    [
        *["INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "WSGI_APPLICATION", "ASGI_APPLICATION"],
        *["AUTHENTICATION_BACKENDS", "THIRD_PARTY_APPS", "LOCAL_APPS", "DJANGO_APPS", "MIDDLEWARE_CLASSES"],
    ]
)
"""Settings of Django whose strings are modules, or things in modules."""


class Naming:
    """Adds to a module's effects what its statements name."""

    def __init__(self, effects: Effects, bindings: Bindings) -> None:
        self.effects, self.bindings = effects, bindings

    def assigned(self, target: ast.expr, value: ast.expr, around: Guards) -> None:
        """What an assignment names: a setting of Django, or of Celery."""
        above, _, key = dotted(target).rpartition(".")
        if key in ("imports", "include") and above.endswith(".conf") and self.bindings.knows("celery"):
            self.effects.named += [] if around.takes else _of_celery(key, value)
        if not isinstance(target, ast.Name):
            return
        name, settings = target.id, self.effects.settings
        if name in _NAMING:
            settings += [Mention(line, text, name) for line, text in constants(value) if _is_dotted(text)]
        if name == "AUTH_USER_MODEL" and (text := self.bindings.text(value)).count(".") == 1:
            settings.append(Mention(value.lineno, text, name))
        if name == "LOGGING":
            self.effects.settings_files += list(log_files(value, self.bindings.paths))
        if name == "DATABASES":
            settings += [Mention(line, text, name) for line, text in _values(value, "ENGINE") if _is_dotted(text)]

    def called(self, node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr], around: Guards) -> None:
        """What a call names; `name` is what it calls, as it was imported, and `last` the last part of that."""
        if name in ("os.environ.setdefault", "environ.setdefault"):
            self._default(node)
        self._extended(node, last)
        if name in ("logging.config.dictConfig", "dictConfig") and node.args:
            self._logging(node.args[0], around)
        self._celery(name, last, keywords, around)
        if around.takes or not node.args:
            return
        if name in ("django.urls.include", "django.conf.urls.include"):
            target = node.args[0].elts[0] if isinstance(node.args[0], ast.Tuple) and node.args[0].elts else node.args[0]
            self._name(node, self.bindings.text(target), "include")
        if name.endswith(".config.from_object") and len(node.args) == 1:
            self._name(node, beginning(node.args[0]).replace(":", "."), "from_object", around.main)
        if name == "uvicorn.run" and "app_dir" not in keywords:
            first = node.args[0]
            told = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
            module, colon, _ = told.partition(":")
            self._name(node, module if colon else "", name, around.main)

    def _name(self, node: ast.Call, text: str, by: str, main: bool = False) -> None:
        self.effects.named += [Mention(node.lineno, text, by, main)] if _is_dotted(text) else []

    def _extended(self, node: ast.Call, last: str) -> None:
        """`INSTALLED_APPS.append("x")`, `MIDDLEWARE += ...` by a method."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        held = owner.id if isinstance(owner, ast.Name) else ""
        if held in _NAMING and last in ("append", "extend", "insert") and node.args:
            found = constants(node.args[-1])
            self.effects.settings += [Mention(line, text, held) for line, text in found if _is_dotted(text)]

    def _celery(self, name: str, last: str, keywords: dict[str, ast.expr], around: Guards) -> None:
        """Modules with tasks, which an application names as it is made or told."""
        updated = name.endswith(".conf.update") and self.bindings.knows("celery") and not around.takes
        for key in ("include", "imports") if updated or last == "Celery" else ():
            if key in keywords:
                self.effects.named += _of_celery(key, keywords[key])

    def _default(self, node: ast.Call) -> None:
        values = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if len(values) == 2 and values[0] == "DJANGO_SETTINGS_MODULE" and isinstance(values[1], str):
            self.effects.settings_module = values[1]
        else:
            self.effects.gives_environment = True

    def _logging(self, node: ast.expr, around: Guards) -> None:
        node = self.bindings.paths.expression(node)
        level, whole = self.bindings.relative.get(dotted(node), (0, self.bindings.full(dotted(node))))
        module, _, held = whole.rpartition(".")
        if held and (module or level) and not around.takes:
            self.effects.configured.append(
                Borrowed(line=node.lineno, module=module, level=level, name=held, main=around.main)
            )
        self.effects.named += logging_classes(node)
        for line, text in _values(node, "filename"):
            self.effects.files.append(FileUse(line, CodePath(text), Use.WRITE))

    def configured(self, node: ast.ClassDef, bases: list[str]) -> None:
        """What a configuration of an app for Django says that the app is called."""
        self.effects.configs += [
            Mention(each.lineno, text, "AppConfig.name")
            for each in (node.body if bases == ["django.apps.AppConfig"] else ())
            if isinstance(each, ast.Assign) and [dotted(target) for target in each.targets] == ["name"]
            if (text := self.bindings.text(each.value))
        ]


def logging_classes(node: ast.expr) -> list[Mention]:
    """What a literal for `dictConfig` names: classes of handlers, formatters and filters."""
    found = [each for key in ("class", "()") for each in _values(node, key)]
    return [Mention(line, text, "dictConfig") for line, text in found if _is_dotted(text) and "." in text]


def _of_celery(key: str, value: ast.expr) -> list[Mention]:
    """Modules that a worker imports as it starts."""
    return [Mention(line, text, f"Celery({key}=)") for line, text in constants(value) if _is_dotted(text)]


def _is_dotted(text: str) -> bool:
    return bool(text) and len(text) < 200 and all(part.isidentifier() for part in text.split("."))


def _values(node: ast.expr, key: str) -> list[tuple[int, str]]:
    """The constant strings that a key has in a literal of dictionaries, however deep."""
    found = []
    for each in below(node):
        if isinstance(each, ast.Dict):
            for name, value in zip(each.keys, each.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key and isinstance(value, ast.Constant):
                    found.append((value.lineno, str(value.value)))
    return found
