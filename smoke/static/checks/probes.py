"""Health checks as words of a command: the programs they start, the ports they ask, what keeps them from running."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.static.model.certain import certain_programs
from smoke.static.model.image import HealthCheck, Image
from smoke.static.python.distributions import bringers
from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex

_PORTS = regex(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)[\"']?\s*[:,]\s*(\d{2,5})")


def ports_asked(text: str) -> set[int]:
    """Ports of this machine that a health check asks."""
    return {int(port) for port in _PORTS.findall(text)}


def unable(image: Image, words: tuple[str, ...], *, shell_form: bool) -> Iterator[str]:
    """Why a health check cannot run in an image, as far as its programs decide it."""
    surroundings = image.surroundings()
    shell = surroundings.find("/bin/sh")
    if shell_form and not shell.place and not shell.doubt:
        yield "its shell form needs /bin/sh, which the image does not have"
        return
    for each in health_programs(HealthCheck(0, words, shell_form)):
        found = surroundings.find(each)
        if not found.place and not found.doubt:
            yield f"{each} is not in the image"
    if not shell_form and posixpath.basename(words[0]).startswith("python") and len(words) > 1:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        path = posixpath.normpath(posixpath.join(image.workdir, script))
        code = {"-c", "-m"} & {*words[1:]}
        if script and not code and image.files.find(path) is None and not image.files.doubt(path):
            yield f"{path}, which it runs, is not in the image"


_ASKED = regex(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(/[\w./-]+)")
_FAILS = regex(r"\bcurl\b[^|;&]*\s(?:-[a-zA-Z]*f[a-zA-Z]*|--fail\S*)\s|\bwget\b|urlopen\(|raise_for_status")
_OPEN_ROUTES = regex(
    rb":path\}|<path:|StaticFiles|\.mount\(|add_exception_handler\(404|errorhandler\(404|include\(|proxy"
)
_FRAMEWORKS = frozenset({"fastapi", "flask", "starlette", "bottle", "aiohttp", "quart", "sanic", "litestar", "falcon"})
_OF_FRAMEWORKS = frozenset({"docs", "redoc", "openapi.json", "metrics", "static", "favicon.ico"})


def lost_path(program: LoadedProgram, text: str) -> str:
    """The path that a check asks of this machine, where no module that is loaded as much as has its last word."""
    asked = _ASKED.search(text)
    parts = [each for each in asked[1].split("/") if each] if asked is not None else []
    graph = program.graph
    if not parts or not _FAILS.search(text) or graph.entry is None or graph.doubts or {*parts} & _OF_FRAMEWORKS:
        return ""
    outside = {each.top for each in graph.outside}
    known = outside & _FRAMEWORKS and not any("health" in each or "prometheus" in each for each in outside)
    if not known or len(outside) > _MOST_MODULES or not all(map(bringers, outside)):
        return ""  # what no one knows may bring a route
    held = [program.installed.tree.data(path) for path in graph.modules]
    word = parts[-1].encode()
    if any(word in data or _OPEN_ROUTES.search(data) for data in held):
        return ""
    return f"it asks /{'/'.join(parts)}, and no module that is loaded has {parts[-1]} in it"


_MOST_MODULES = 12
"""More distributions than these may bring a route of their own."""


def health_programs(health: HealthCheck) -> list[str]:
    """The programs that a health check surely starts: in shell form, those that decide its outcome."""
    if not health.shell_form:
        return [health.words[0]] if health.words and health.words[0] else []
    return certain_programs(" ".join(health.words))
