"""Programs that end at once where a file is missing that they are told to work with."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from smoke.static.model.javascript import program_gone, refused_load
from smoke.static.model.managers.npm import npm_refusal, script_text
from smoke.static.model.scene import Scene
from smoke.static.model.scrapy import crawl_refusal
from smoke.static.model.servers.options import read_line
from smoke.static.regex import regex

_MOST_FILES = 300
_PYTHON = regex(r"python(?:3(?:\.\d+)?)?")


_READ_FIRST = {"node": (".js", ".mjs", ".cjs"), "ruby": (".rb",), "php": (".php",), "perl": (".pl",)}
"""Interpreters, with how the names of their scripts end."""


def _script(name: str, words: Sequence[str], scene: Scene) -> str:
    """The script that an interpreter is to run, where no option stands before it."""
    script = _node_script(words) if name == "node" else words[0] if words else ""
    stem = re.sub(r"\.[cm]?js$", "", posixpath.basename(script))
    names = {posixpath.basename(script), f"{stem}.ts", f"{stem}.mts", f"{stem}.cts"}
    known = any(posixpath.basename(each) in names for each in scene.installed.tree.files())
    if name == "node" and script in ("node", "npm", "npx", "yarn", "sh", "bash", "/bin/sh"):
        tried = (script, f"{script}.js", f"{script}.json", f"{script}.node", f"{script}/index.js")
        if all(scene.exists(each) is False for each in tried):
            return f"node is handed {script!r} as the file to run, and there is no {scene.state.path(script)}"
    if not script.endswith(_READ_FIRST[name]) or "$" in script or not known:
        return ""
    if scene.exists(script) is not False:
        return refused_load(script, scene) if name == "node" else ""
    return f"{name} is to run {scene.state.path(script)}, which is not in the image"


def _node_script(words: Sequence[str]) -> str:
    """The script that Node is given; empty where an option may change how it loads."""
    rest = list(words)
    while rest and re.fullmatch(
        r"--(?:max-[\w-]+|enable-source-maps|no-warnings|trace-[\w-]+|unhandled-rejections)(?:=.*)?", rest[0]
    ):
        rest.pop(0)
    return rest[0] if rest else ""


def missing_to(words: Sequence[str], scene: Scene) -> str:
    """What a program lacks that it surely needs; empty when nothing speaks against it."""
    name = posixpath.basename(words[0])
    if name in _READ_FIRST:
        return _script(name, words[1:], scene)
    if name.startswith("jupyter"):
        return _rooted(words, scene)
    if (reader := _READERS.get(name)) is not None:
        return reader(words[1:], scene)
    if _PYTHON.fullmatch(name) and words[1:2] == ("-m",) and len(words) > 2:
        return _alembic(words[3:], scene) if words[2] == "alembic" else _module(words[2], scene)
    operand = words[1] if len(words) > 1 and _PYTHON.fullmatch(words[0]) else ""
    if operand.endswith(".py") and "$" not in operand and scene.exists(operand) is False:
        return f"python is to run {scene.state.path(operand)}: it is not there"
    return ""


def _migrating(words: Sequence[str], scene: Scene) -> str:
    """`flask db`, which Flask-Migrate brings, and the directory of scripts that most of it works with."""
    operands = read_line(words, frozenset(["--debug", "--no-debug", "--sql"])).operands
    if operands[:1] != ["db"] or operands[1:2] in ([], ["init"], ["list-templates"]):
        return ""
    files = [each for each in scene.installed.tree.files() if each.endswith(".py")][:_MOST_FILES]
    texts = [scene.installed.tree.text(each) for each in files]
    if len(files) < _MOST_FILES and not any("flask_migrate" in each or "flask-migrate" in each for each in texts):
        return "flask has no command db that works: no module of the tree makes a Migrate of flask_migrate's"
    elsewhere = any(re.search(r"Migrate\([^)]*directory|init_app\([^)]*directory", each) for each in texts)
    if elsewhere or {"-d", "--directory"} & {*words} or scene.exists("migrations") is not False:
        return ""
    return f"flask db {operands[1]} finds no migrations in {scene.state.workdir}"


def _npm(words: Sequence[str], scene: Scene) -> str:
    known = any(posixpath.basename(each) == "package.json" for each in scene.installed.tree.files())
    refusal = npm_refusal(words, scene.read, scene.exists, locked=False) if known else ""
    if refusal:
        return refusal
    told = script_text(words, scene.read).split()
    if told[:1] == ["node"] and re.fullmatch(r"[\w./ =-]+", " ".join(told)):
        return _script("node", told[1:], scene)
    return program_gone(told[0], scene) if told else ""


def _alembic(words: Sequence[str], scene: Scene) -> str:
    """alembic.ini, or what stands for it; since 1.16 a pyproject.toml may."""
    told = read_line(words, frozenset(["--raiseerr", "--sql", "--version", "-h", "--help"])).last("-c", "--config")
    path = told or scene.state.environment.get("ALEMBIC_CONFIG") or "alembic.ini"
    if "$" in path or (not told and scene.exists("pyproject.toml") is not False) or words[:1] == ("init",):
        return ""
    # Where the tree has none either, it may come with a mount that is told elsewhere.
    known = any(posixpath.basename(each) == posixpath.basename(path) for each in scene.installed.tree.files())
    if known and scene.exists(path) is False:
        return f"alembic is to read {path}, which is not in the image"
    place = re.search(r"(?m)^script_location[ \t]*=[ \t]*(?:%\(here\)s/)?([\w./-]+)[ \t]*$", scene.read(path) or "")
    if place is None or "/" in path.removeprefix("./") or words[:1] in (("--version",), ("-h",), ("--help",)):
        return ""
    lost = scene.exists(place[1]) is False and any(
        each.startswith(f"{place[1]}/") or f"/{place[1]}/" in each for each in scene.installed.tree.files()
    )
    return f"{path} names {place[1]} as its scripts, which is not in the image" if lost else ""


def _rooted(words: Sequence[str], scene: Scene) -> str:
    """Jupyter's servers, which root may start only where that is allowed."""
    kind = words[0].rpartition("/")[2].partition("-")[2] or (words[1] if len(words) > 1 else "")
    told = any("allow-root" in word or "allow_root" in word or word.startswith("--config") for word in words)
    configured = any("jupyter" in path and "config" in path for path in scene.state.files.entries)
    asked = any(name.startswith("JUPYTER") for name in scene.state.environment)
    user = scene.state.number(scene.state.user or "0")
    if kind not in ("lab", "notebook", "server") or told or configured or asked or user != 0 or scene.base is None:
        return ""
    return f"jupyter {kind} refuses to run as root: it takes --allow-root, or another user"


def _module(name: str, scene: Scene) -> str:
    """A module that is not in its package, which is in the working directory."""
    top, *rest = name.split(".")
    if not rest or not name.replace(".", "").isidentifier() or not scene.exists(f"{top}/__init__.py"):
        return ""
    place = "/".join((top, *rest))
    if all(scene.exists(each) is False for each in (place, f"{place}.py", f"{place}.pyc")):
        return f"python is to run the module {name}, which is not in the image"
    return ""


_READERS: dict[str, Callable[[Sequence[str], Scene], str]] = {
    "alembic": _alembic,
    "flask": _migrating,
    "npm": _npm,
    "scrapy": crawl_refusal,
}
"""Who reads the words of a program that wants some files."""
