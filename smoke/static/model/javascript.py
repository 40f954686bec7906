"""What a program of Node's loads as it starts: its own files, and packages of a node_modules above them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.node_modules import dependencies_of
from smoke.static.model.scene import Scene
from smoke.static.regex import regex

_REQUIRED = regex(
    r"(?m)^(?:(?:const|let|var)\s+(?:\w+|\{[^}]*\})\s*=\s*|module\.exports\s*=\s*)?require\(\s*['\"]([^'\"]+)['\"]\s*\)"
)
_IMPORTED = regex(r"(?m)^(?:import|export)\s+(?:[\w*{}\s,$]+?\s+from\s+)?['\"]([^'\"]+)['\"]")
_ASIDE = regex(r"/\*.*?\*/|`[^`]*`", re.DOTALL)
_ELSEWHERE = regex(r"module-alias|app-module-path|createRequire|Module\._|require\.extensions|pnp")
"""What changes where Node looks."""
_BUILTIN = frozenset(
    [
        *["assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram"],
        *["diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module"],
        *["net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream"],
        *["string_decoder", "sys", "timers", "tls", "trace_events", "tty", "url", "util", "v8", "vm", "wasi"],
        *["worker_threads", "zlib", "sea", "sqlite", "test"],
    ]
)
_ENDINGS = ("", ".js", ".cjs", ".mjs", ".json", ".node")
MAX_FILES = 300


class _Load(Struct, frozen=True):
    """What a file loads at its top."""

    name: str
    imported: bool
    """By an `import`, which takes a file's whole name."""


def refused_load(script: str, scene: Scene) -> str:
    """Why Node surely ends as it loads a script; empty when nothing speaks against it."""
    if "NODE_PATH" in scene.state.environment or "NODE_OPTIONS" in scene.state.environment:
        return ""
    pending, seen = [scene.state.path(script)], {scene.state.path(script)}
    while pending and len(seen) < MAX_FILES:
        path = pending.pop(0)
        text = scene.read(path)
        if text is None or not path.endswith((".js", ".cjs", ".mjs")):
            continue
        plain = _ASIDE.sub("``", text)
        if _ELSEWHERE.search(plain):
            return ""
        if trouble := _of_the_other_kind(path, plain, scene):
            return trouble
        for load in _loads(plain):
            if not load.name.startswith((".", "/")):
                if trouble := _package_gone(path, load.name, scene):
                    return trouble
                continue
            found, gone = _resolved(path, load, scene)
            if gone:
                return f"{path} loads {load.name}, which is not in the image"
            if found and found not in seen:
                seen.add(found)
                pending.append(found)
    return ""


def _loads(text: str) -> Iterator[_Load]:
    found = [(match.start(), _Load(match[1], False)) for match in _REQUIRED.finditer(text)]
    found += [(match.start(), _Load(match[1], True)) for match in _IMPORTED.finditer(text)]
    yield from (load for _, load in sorted(found, key=lambda each: each[0]))


def _resolved(path: str, load: _Load, scene: Scene) -> tuple[str, bool]:
    """The file that a relative name means, where that is known; and whether there surely is none."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), load.name))
    endings = ("",) if load.imported else _ENDINGS
    tried = [place + ending for ending in endings]
    if not load.imported:
        tried += [f"{place}/index{ending}" for ending in _ENDINGS[1:]]
    for each in tried:
        entry = scene.state.files.find(each)
        if entry is not None and entry.kind == "file":
            return each, False
    held = scene.state.files.find(place)
    package = held is not None and held.kind == "directory" and scene.exists(f"{place}/package.json") is not False
    return "", not package and all(scene.exists(each) is False for each in (tried if held is None else tried[1:]))


def _kind(path: str, scene: Scene) -> str | None:
    """Of which kind of modules a file is, as its name or a package.json says: `module` or `commonjs`; empty where
    none says, and none where that is not known."""
    if path.endswith((".mjs", ".cjs")):
        return "module" if path.endswith(".mjs") else "commonjs"
    place = posixpath.dirname(path)
    while True:
        file = posixpath.join(place, "package.json")
        if scene.exists(file) is not False:
            told = _json(scene.read(file))
            return None if told is None else str(told.get("type", ""))
        if place == "/":
            return ""
        place = posixpath.dirname(place)


def _of_the_other_kind(path: str, text: str, scene: Scene) -> str:
    """Why the text of a file is not of the kind of modules that Node takes it for."""
    kind = _kind(path, scene)
    required, imported = _REQUIRED.search(text), _IMPORTED.search(text)
    if kind == "module" and required is not None and imported is None and "require =" not in text:
        return f"{path} calls require, which modules of the kind that package.json says (type: module) do not have"
    if kind == "commonjs" and imported is not None and required is None:
        return f"{path} has an import statement, and by its name or package.json it is no such module"
    return ""


def _package_gone(path: str, name: str, scene: Scene) -> str:  # noqa: PLR0911 - a case a place that it may be at
    """Why a package is surely in no node_modules above a file."""
    parts = name.split("/")
    package = "/".join(parts[:2]) if name.startswith("@") else parts[0]
    if name.startswith(("node:", "#")) or package in _BUILTIN or not re.fullmatch(r"@?[\w.-]+(?:/[\w.-]+)?", package):
        return ""
    files, place, why = scene.state.files, posixpath.dirname(path), ""
    while True:
        modules = posixpath.join(place, "node_modules")
        if files.find(posixpath.join(modules, package)) is not None:
            return ""
        known = scene.state.node_modules.get(modules)
        if place in files.with_modules and known is None:
            return ""
        if known is not None:
            if known.may_have(package):
                return ""
            why = why or known.lacks(package)
        elif posixpath.basename(place) != "node_modules" and any(
            doubt.cause is not DoubtCause.BASE for doubt in files.every_doubt(modules)
        ):
            return ""
        own = _json(scene.read(posixpath.join(place, "package.json")))
        if own is not None and own.get("name") == package:
            return ""
        if place == "/":
            return f"{path} loads {package}, " + (why or "and there is no node_modules above it")
        place = posixpath.dirname(place)


def _json(text: str | None) -> dict[str, Any] | None:
    try:
        told = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def program_gone(name: str, scene: Scene) -> str:
    """Why the program of a package, which a script of package.json starts, is surely not installed."""
    package = _PROGRAMS.get(name, name if name in _OWN_NAME else "")
    known = scene.state.node_modules.get(scene.state.path("node_modules"))
    if not package or (known is not None and known.may_have(package)):
        return ""
    told = _json(scene.read("package.json")) or {}
    asked = dependencies_of(told, development=True)
    if package not in asked or any(scene.state.files.find(place) for place in scene.state.surroundings().places(name)):
        return ""
    if known is None:
        place = scene.state.path("node_modules")
        doubts = [each for each in scene.state.files.every_doubt(place) if each.cause is not DoubtCause.BASE]
        unsure = scene.state.files.find(place) is not None or bool(doubts)
        return "" if unsure else f"it starts {name}, and there is no {place}"
    return f"it starts {name}, {known.lacks(package)}"


_OWN_NAME = frozenset(
    ["nodemon", "ts-node", "tsx", "ts-node-dev", "next", "nuxt", "vite", "serve", "pm2", "react-scripts", "prisma"]
)
_PROGRAMS = {"tsc": "typescript", "nest": "@nestjs/cli", "vue-cli-service": "@vue/cli-service", "ng": "@angular/cli"}
"""Programs of packages that are called otherwise."""
