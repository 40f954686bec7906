"""What Django's `manage.py` refuses: commands that no app has, and a server without hosts."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from msgspec import Struct

from smoke.static.python.program import LoadedProgram
from smoke.static.python.quiet import parse_quietly
from smoke.tree import Tree

_COMMANDS = frozenset(
    [
        *["changepassword", "check", "clearsessions", "collectstatic", "compilemessages", "createcachetable"],
        *["createsuperuser", "dbshell", "diffsettings", "dumpdata", "findstatic", "flush", "inspectdb", "loaddata"],
        *["makemessages", "makemigrations", "migrate", "optimizemigration", "ogrinspect", "remove_stale_contenttypes"],
        *["runserver", "sendtestemail", "shell", "showmigrations", "sqlflush", "sqlmigrate", "sqlsequencereset"],
        *["squashmigrations", "startapp", "startproject", "test", "testserver", "help", "version"],
    ]
)
"""Those of Django itself and of what comes with it."""
_CLOSE = 0.85


class RefusedCommand(Struct, frozen=True):
    """What is refused, and the file that says it."""

    message: str
    path: str
    line: int


def refused_commands(program: LoadedProgram, tree: Tree) -> Iterator[RefusedCommand]:
    """All of them, of the start and of what its entry script runs before it."""
    start, graph = program.image.start, program.graph
    settings = {path: tree.data(path) for path in sorted(graph.settings & graph.modules.keys())}
    own = [start.arguments] if posixpath.basename(start.script) == "manage.py" else []
    ran = [_behind(words) for words in start.ran if any(word.endswith("manage.py") for word in words[:2])]
    for words in (*ran, *own):
        name = words[0] if words else ""
        if settings and re.fullmatch(r"[a-z]\w*", name) and (why := _unknown(name, program, tree)):
            yield RefusedCommand(why, program.image.dockerfile, start.line)
        if name == "runserver" and (found := _hostless(settings)) is not None:
            yield found


def _behind(words: Sequence[str]) -> tuple[str, ...]:
    """The words behind manage.py."""
    place = next(number for number, word in enumerate(words) if word.endswith("manage.py"))
    return tuple(words[place + 1 :])


def _unknown(name: str, program: LoadedProgram, tree: Tree) -> str:
    """Why there surely is no such command; empty when an app may have it."""
    if name in _COMMANDS:
        return ""
    found = [re.search(r"(?:^|/)management/commands/(\w+)\.py$", path) for path in tree.files()]
    own = {match[1] for match in found if match is not None}
    if name in own:
        return ""
    graph = program.graph
    apps = {
        named.name.partition(".")[0]
        for path in graph.settings & graph.modules.keys()
        for named in graph.modules[path].effects.settings
        if named.by in ("INSTALLED_APPS", "THIRD_PARTY_APPS", "LOCAL_APPS", "DJANGO_APPS")
    }
    near = get_close_matches(name, sorted({*own, *_COMMANDS}), 1, _CLOSE)
    foreign = any(app != "django" and not _of_tree(app, tree) for app in apps)
    if foreign and not near:
        return ""
    hint = f": {near[0]} is one" if near else ""
    return f"manage.py has no command {name}{hint}" if apps or near else ""


def _of_tree(app: str, tree: Tree) -> bool:
    return any(
        path.endswith((f"/{app}/__init__.py", f"/{app}/apps.py")) or path.startswith(f"{app}/") for path in tree.files()
    )


def _hostless(settings: dict[str, bytes]) -> RefusedCommand | None:
    """Settings whose DEBUG is off, and whose ALLOWED_HOSTS are none."""
    if len(settings) != 1:
        return None
    [(path, data)] = settings.items()
    parsed = parse_quietly(data)
    words = [data.count(b"DEBUG"), data.count(b"ALLOWED_HOSTS")]
    if parsed is None or words != [1, 1] or b"import *" in data:
        return None
    values = {
        node.targets[0].id: node.value
        for node in parsed.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    debug, hosts = values.get("DEBUG"), values.get("ALLOWED_HOSTS")
    off = isinstance(debug, ast.Constant) and debug.value is False
    if off and isinstance(hosts, ast.List) and not hosts.elts:
        return RefusedCommand(
            "runserver wants ALLOWED_HOSTS where DEBUG is off, and there are none", path, hosts.lineno
        )
    return None
