"""Programs that `go build` links, and what it refuses."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_RESOLVES = regex(r"C|net(?:/(?!url$|netip$)[\w/]+)?|os/user|crypto/(?:tls|x509)|log/syslog|expvar")
"""Packages of Go's own that are linked with the C library where there is a C compiler."""
_SERVES = regex(
    r"github\.com/(?:gin-gonic/gin|labstack/echo(?:/v\d)?|gofiber/fiber(?:/v\d)?|go-chi/chi(?:/v\d)?|gorilla/mux)"
    r"|google\.golang\.org/grpc"
)
"""Packages that surely import one of those."""
_GO_FILE = regex(r"(?!.*_(?:test|windows|darwin|freebsd|js|wasm|plan9)\.go$)[^.].*\.go")
MAX_PACKAGES = 100


# -- Go --------------------------------------------------------------------------------------------------------------


def built_by_go(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """The program of `go build`, and the C library that it is linked with: none where Go is told to do without, or to
    link statically, or where nothing in it needs C."""
    if rest[:1] != ["build"]:
        return {}
    output, packages = _built(rest[1:])
    if len(packages) > 1 or any("..." in each for each in packages):
        return {}
    package = packages[0] if packages else "."
    directory = stage.path(posixpath.dirname(package) if package.endswith(".go") else package)
    name = posixpath.basename(directory)
    if not output:
        module = _module(stage, directory)
        output = posixpath.basename(module[1]) if module[0] == directory and module[1] else name
    path = stage.path(output)
    held = stage.files.find(path)
    if output.endswith("/") or (held is not None and held.kind == "directory"):
        path = posixpath.join(path, name)
    decided = given.get("CGO_ENABLED", "1") != "1" or given.get("GOOS", "linux") != "linux" or "GOARCH" in given
    flags = " ".join((*rest, given.get("GOFLAGS", "")))
    static = decided or stage.toolchain != "go" or re.search(r"static|netgo|-linkmode", flags) is not None
    return {path: stage.libc if not static and _by_way_of_c(stage, directory) else ""}


def _built(rest: Sequence[str]) -> tuple[str, list[str]]:
    """The output that `go build` is told, and its packages."""
    output, packages = "", []
    words = iter(rest)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("-o", "--o"):
            output = value if equals else next(words, "")
        elif word in ("-ldflags", "-tags", "-gcflags", "-asmflags", "-mod", "-p", "-C", "-installsuffix", "-buildmode"):
            next(words, "")
        elif not word.startswith("-"):
            packages.append(word)
    return output, packages


def go_refusal(stage: Stage, rest: Sequence[str]) -> str:
    """Why `go build` surely fails: files that its package embeds, or packages of its own module, are not there."""
    if rest[:1] != ["build"] or any("$" in word or word.startswith("-C") for word in rest):
        return ""
    _, packages = _built(rest[1:])
    if len(packages) > 1 or any("..." in each or each.endswith(".go") for each in packages):
        return ""
    directory = stage.path(packages[0] if packages else ".")
    root, module = _module(stage, directory)
    pending, seen = [directory], {directory}
    while pending and len(seen) < MAX_PACKAGES:
        place = pending.pop()
        if clause := _unembedded(stage, place):
            return clause
        for name in _imports(stage, place):
            inner = posixpath.join(root, name[len(module) + 1 :])
            if not module or not name.startswith(f"{module}/") or inner in seen:
                continue
            if stage.files.find(inner) is None and not stage.files.doubt(inner):
                return f"go build: there is no {inner} at this step, for the package {name}"
            seen.add(inner)
            pending.append(inner)
    return ""


def _unembedded(stage: Stage, directory: str) -> str:
    """A pattern of `//go:embed` that nothing matches."""
    if stage.files.doubt(f"{directory}/any"):
        return ""
    for name in stage.files.names(directory):
        text = stage.source_text(posixpath.join(directory, name)) if _GO_FILE.fullmatch(name) else ""
        for line in re.findall(r"(?m)^//go:embed[ \t]+(.+)$", text) if "//go:build" not in text else ():
            for pattern in line.split() if not set(line) & set('"`') else ():
                place = posixpath.join(directory, pattern.removeprefix("all:"))
                if not stage.files.glob(place) and not stage.files.doubt(place):
                    return f"go build: {name} embeds {pattern}, and no file matches it at this step"
    return ""


def _by_way_of_c(stage: Stage, directory: str) -> bool:
    """Whether the package of a directory, or one of its module's that it imports, is linked with the C library."""
    root, module = _module(stage, directory)
    pending, seen = [directory], {directory}
    while pending and len(seen) < MAX_PACKAGES:
        for name in _imports(stage, pending.pop()):
            if _RESOLVES.fullmatch(name) or _SERVES.match(name):
                return True
            if module and name.startswith(f"{module}/"):
                inner = posixpath.join(root, name[len(module) + 1 :])
                if inner not in seen:
                    seen.add(inner)
                    pending.append(inner)
    return False


def _module(stage: Stage, directory: str) -> tuple[str, str]:
    """The directory of the go.mod above, and the module's name."""
    place = directory
    while True:
        text = stage.source_text(posixpath.join(place, "go.mod"))
        if match := re.search(r"(?m)^module[ \t]+(\S+)", text):
            return place, match[1]
        if place == "/":
            return "", ""
        place = posixpath.dirname(place)


def _imports(stage: Stage, directory: str) -> Iterator[str]:
    """What the files of a package import that are surely compiled for Linux."""
    for name in stage.files.names(directory):
        text = stage.source_text(posixpath.join(directory, name)) if _GO_FILE.fullmatch(name) else ""
        if "//go:build" in text or "// +build" in text:
            continue
        for block, alone in re.findall(r'(?ms)^import\s*\((.*?)^\)|^import\s+(?:[\w.]+\s+)?"([^"]+)"', text):
            yield from re.findall(r'(?m)^\s*(?:[\w.]+\s+)?"([^"]+)"', block) if block else [alone]
