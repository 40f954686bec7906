"""Scrapy's command: the project that most of it wants, its settings, and the spider that it is to run."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Sequence

from smoke.static.model.scene import Scene

_OF_PROJECTS = frozenset(["crawl", "check", "list", "parse", "edit"])
"""Commands that there are in a project alone."""
MAX_FILES = 300


def crawl_refusal(words: Sequence[str], scene: Scene) -> str:
    """Why scrapy surely ends at once, with these words behind it; empty when nothing speaks for that."""
    command = words[0] if words else ""
    environment = scene.state.environment
    known = {"SCRAPY_SETTINGS_MODULE", "SCRAPY_PROJECT", "XDG_CONFIG_HOME"} & environment.keys()
    if command not in _OF_PROJECTS or known:
        return ""
    file = _configuration(scene)
    if file is None:
        return ""
    if not file:
        return f"scrapy has no command {command} outside of a project: there is no scrapy.cfg in {scene.state.workdir}"
    if not (text := scene.read(file)):
        return ""
    return _settings(file, text, scene) or _spider(words[1:], scene)


def _configuration(scene: Scene) -> str | None:
    """The scrapy.cfg that is nearest above the working directory; empty if there is none, none if one may be."""
    if not any(entry.source for entry in scene.state.files.entries.values()):
        return None
    above = scene.state.workdir
    while True:
        place = posixpath.join(above, "scrapy.cfg")
        found = scene.exists(place)
        if found is not False:
            return place if found else None
        if above == "/":
            return ""
        above = posixpath.dirname(above)


def _settings(file: str, text: str, scene: Scene) -> str:
    """The module of settings that the file names, where it is not beside it."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ""
    module = parser.get("settings", "default", fallback="")
    if not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", module):
        return ""
    # Scrapy puts the directory of scrapy.cfg on the path.
    top, *_ = module.split(".")
    base = posixpath.dirname(scene.state.path(file))
    places = [base, *(each for each in scene.state.environment.get("PYTHONPATH", "").split(":") if each)]
    tops = [posixpath.join(place, name) for place in places for name in (top, f"{top}.py")]
    whole = module.replace(".", "/")
    ends = [posixpath.join(place, name) for place in places for name in (f"{whole}.py", f"{whole}/__init__.py")]
    installed = [name for each in scene.installed.each for name in (*each.modules, *each.asked)]
    if any("$" in place for place in places) or top in installed or scene.state.venvs:
        return ""
    lost = all(scene.exists(each) is False for each in (ends if any(map(scene.exists, tops)) else tops))
    return f"{file} names the settings {module}, which are not in the image" if lost else ""


def _spider(operands: Sequence[str], scene: Scene) -> str:
    """A spider that no file of the tree has."""
    name = operands[0] if operands and re.fullmatch(r"[\w.-]+", operands[0]) else ""
    files = [each for each in scene.installed.tree.files() if each.endswith(".py")][:MAX_FILES]
    text = "\n".join(scene.installed.tree.text(each) for each in files)
    if not name or re.search(rf"['\"]{re.escape(name)}['\"]", text):
        return ""
    classes = len(re.findall(r"(?m)^class\s+\w+\(.*(?:Spider|spiders)\b.*\)\s*:", text))
    named = re.findall(r"(?m)^\s+name\s*(?::\s*str\s*)?=\s*['\"]([\w.-]+)['\"]", text)
    if not classes or len(named) < classes or len(files) == MAX_FILES:
        return ""
    return f"scrapy is to run the spider {name}, and no file has one of that name ({', '.join(sorted({*named})[:5])})"
