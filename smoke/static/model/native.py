"""Programs that a build links: the C library that has to be there for them to be loaded at all."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from smoke.static.model.bases.official import official_tag
from smoke.static.model.filesystem import DoubtCause, PathEntry
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

TOOLS = frozenset({"go", "cargo", "gcc", "cc", "g++", "c++"})
VARIABLES = ("CGO_", "GO", "CARGO_", "RUSTFLAGS")
"""Beginnings of the variables that decide how a program is linked."""
_ALONE = regex(r"alpine|windows|nanoserver")
"""Images of a toolchain without a C compiler, or that link statically."""
_RESOLVES = regex(r"C|net(?:/(?!url$|netip$)[\w/]+)?|os/user|crypto/(?:tls|x509)|log/syslog|expvar")
"""Packages of Go's own that are linked with the C library where there is a C compiler."""
_SERVES = regex(
    r"github\.com/(?:gin-gonic/gin|labstack/echo(?:/v\d)?|gofiber/fiber(?:/v\d)?|go-chi/chi(?:/v\d)?|gorilla/mux)"
    r"|google\.golang\.org/grpc"
)
"""Packages that surely import one of those."""
_GO_FILE = regex(r"(?!.*_(?:test|windows|darwin|freebsd|js|wasm|plan9)\.go$)[^.].*\.go")
MAX_PACKAGES = 100


def toolchain_of(reference: str) -> str:
    """The toolchain that an image is one of, with a C compiler beside it; empty for others."""
    name = reference.partition("@")[0]
    kinds = {"golang": "go", "rust": "rust"}
    found = next((short for kind, short in kinds.items() if official_tag(name, kind) is not None), "")
    return "" if _ALONE.search(name) else found


def follow(stage: Stage, name: str, rest: Sequence[str], line: int, given: Mapping[str, str]) -> bool:
    """Follow a command of a toolchain, if all that it writes is known; says whether it was one. What it links against
    the stage's own C library, or for a certain machine, is noted."""
    rest = list(rest)
    if name not in TOOLS or any("$" in word for word in rest):
        return False
    made = {"go": _go, "cargo": _cargo}.get(name, _c)(stage, rest, given)
    for path, libc in made.items():
        user = stage.number(stage.user)
        machine = _machine(name, given)
        stage.files.add(path, PathEntry("file", user=user, mode=0o755, line=line, libc=libc, machine=machine))
    quiet = name == "go" and (rest[:1] in (["vet"], ["version"], ["env"], ["fmt"]) or rest[:1] == ["mod"])
    if not quiet and not (name == "go" and made):
        return False
    for place in (given.get("GOPATH") or "/go", stage.home() or "/root", "/tmp"):
        stage.files.suspect(place, f"{name!r} in the RUN of line {line} cannot be followed", DoubtCause.COMMAND)
    return True


def _machine(name: str, given: Mapping[str, str]) -> str:
    """The machine that Go is told to link for; otherwise it is that which builds, which may be any."""
    told = given.get("GOARCH", "") if name == "go" else ""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(told, "")


def unloadable(entry: PathEntry, stage: Stage) -> str:
    """Why a program cannot be loaded here: the loader of its C library is not in the image; empty where it may be."""
    if entry.machine and stage.machine and entry.machine != stage.machine:
        return f"it is built for {entry.machine}, and the image for {stage.machine}: exec format error"
    if not entry.libc or entry.libc == stage.libc:
        return ""
    loader = {"glibc": "ld-linux", "musl": "ld-musl"}[entry.libc]
    if any(posixpath.basename(path).startswith(loader) for path in stage.files.entries):
        return ""
    if any(re.match(r"gcompat|libc6-compat|glibc|musl", package) for package in stage.packages):
        return ""
    known = (DoubtCause.BASE, DoubtCause.PACKAGES, DoubtCause.DISTRIBUTIONS)
    for place in ("/lib/x", "/lib64/x"):
        if any(doubt.cause not in known for doubt in stage.files.every_doubt(place)):
            return ""
    return f"it is linked with {entry.libc} where it is built, whose loader this image does not have"


# -- Go --------------------------------------------------------------------------------------------------------------


def _go(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
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
        text = _text(stage, posixpath.join(directory, name)) if _GO_FILE.fullmatch(name) else ""
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
        text = _text(stage, posixpath.join(place, "go.mod"))
        if match := re.search(r"(?m)^module[ \t]+(\S+)", text):
            return place, match[1]
        if place == "/":
            return "", ""
        place = posixpath.dirname(place)


def _imports(stage: Stage, directory: str) -> Iterator[str]:
    """What the files of a package import that are surely compiled for Linux."""
    for name in stage.files.names(directory):
        text = _text(stage, posixpath.join(directory, name)) if _GO_FILE.fullmatch(name) else ""
        if "//go:build" in text or "// +build" in text:
            continue
        for block, alone in re.findall(r'(?ms)^import\s*\((.*?)^\)|^import\s+(?:[\w.]+\s+)?"([^"]+)"', text):
            yield from re.findall(r'(?m)^\s*(?:[\w.]+\s+)?"([^"]+)"', block) if block else [alone]


# -- Rust and C ------------------------------------------------------------------------------------------------------


def _cargo(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """What `cargo build --release` links: by rustc's default, with the library of the machine that builds."""
    told = {word.partition("=")[0] for word in rest}
    odd = {"--target", "--target-dir", "--manifest-path", "--config", "--profile", "-Z", "--out-dir", "--artifact-dir"}
    if stage.toolchain != "rust" or rest[:1] not in (["build"], ["b"], ["install"]) or told & odd:
        return {}
    if any(each in given for each in ("RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR")):
        return {}
    place = next((each for each in stage.files.names(stage.workdir) if each == ".cargo"), "")
    package = _toml(_text(stage, stage.path("Cargo.toml")))
    own, more = package.get("package"), package.get("bin", [])
    if place or not isinstance(own, dict) or not isinstance(more, list):
        return {}
    names = {str(each.get("name", "")) for each in (own, *more) if isinstance(each, dict)}
    if rest[0] == "install":
        below = "" if "--root" in told else "/usr/local/cargo/bin"
    else:
        below = stage.path(f"target/{'release' if {'--release', '-r'} & told else 'debug'}")
    return {f"{below}/{each}": stage.libc for each in sorted(names - {""}) if below}


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _c(stage: Stage, rest: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """What a C compiler links: with the library of its system, unless it is told to link statically."""
    flags = {"-c", "-S", "-E", "-shared", "-static", "-static-pie", "-nostdlib", "-r", "--version", "-fsyntax-only"}
    if flags & {*rest} or not any(word.endswith((".c", ".cc", ".cpp", ".cxx")) for word in rest):
        return {}
    output = next((rest[place + 1] for place, word in enumerate(rest[:-1]) if word == "-o"), "a.out")
    return {stage.path(output): stage.libc}


def _text(stage: Stage, path: str) -> str:
    entry = stage.files.find(path)
    if entry is None or entry.kind != "file" or not entry.source or stage.read is None:
        return ""
    return stage.read(entry.source).decode("utf-8", "replace")
