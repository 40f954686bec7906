"""What a stage gets from another one: its files, and what is known and unknown of them."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.bases.catalog import find_base
from smoke.static.model.build_failure import Lack, Missing
from smoke.static.model.building import Building, Made
from smoke.static.model.copyorder import CopyOrder, CopySelection
from smoke.static.model.doubt import Doubt, DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import REPOSITORY
from smoke.static.regex import regex

_NAME_OF_A_FILE = regex(
    r"/[\w-][\w.-]*\.(?:json|[cm]?js|css|html|txt|csv|db|sqlite3?|whl|[jw]ar|so|sh|py|toml|ya?ml|xml|pem|crt|gz|zip|tgz|md)$"
)
"""What no directory is called."""


def copy_from(build: Building, made: Made, stage: BuildStage, reference: str, order: CopyOrder) -> None:
    """Carry out what a COPY of a stage asks of the stage, or the image, that it names."""
    kept, place, line = order.selection, order.place, order.line
    source = build.stages.named(reference, stage.index)
    if source is None:
        lender = Made(find_base(reference, build.bases), reference, build.stages.variables.stage())
    else:
        lender = build.done[source.index]
    other = lender.state
    if made.reference == "scratch" and order.sources == ("/",) and place == "/" and kept == CopySelection():
        made.take_over(lender)
    if REPOSITORY in other.settings:
        made.state.settings[REPOSITORY] = other.settings[REPOSITORY]
    for word in order.sources:
        origin = posixpath.normpath("/" + word.lstrip("/"))
        found = list(other.files.below(origin))
        resolved = other.files.resolve(origin)
        doubt = other.files.doubt(origin)
        if not found and re.search(r"[*?\[]", word):
            if kept == CopySelection() and order.into and _by_pattern(made, other, origin, order):
                continue
            doubt = doubt or Doubt(f"the COPY of line {line} has wildcards", DoubtCause.COPY)
        elif not found and (not doubt or _of_another_python(other, origin)) and origin != "/":
            build.missing.append(Missing(line, word, Lack.STAGE, f"the stage {reference} does not make it"))
            continue
        entry = other.files.find(origin)
        is_file = entry is not None and entry.kind == "file"
        landed = kept.landing(place, word)
        is_file = is_file or (entry is None and _NAME_OF_A_FILE.search(origin) is not None)
        named = order.into and is_file and not kept.parents
        made_at = posixpath.join(place, posixpath.basename(origin)) if named else landed
        for path, each in found:
            inside = path[len(resolved) :] if resolved != "/" else path
            if kept.has(inside or posixpath.basename(origin)):
                made.state.files.add(made_at + inside, _copied(each, order))
        _doubts_from(made, other, resolved, made_at if named else landed, doubt, line)
        _installs_from(made, other, resolved, landed, kept)


def _by_pattern(made: Made, other: Stage, pattern: str, order: CopyOrder) -> bool:
    """Copy the files that a pattern of names means into a directory; whether that is all of them. BuildKit lets a
    pattern match nothing."""
    directory, name = posixpath.split(pattern)
    houses = [each for each in other.installs if each.house and each.directory == directory]
    matched = other.files.glob(pattern)
    kinds = {entry.kind for entry in map(other.files.find, matched) if entry is not None}
    open_ = not houses and (other.files.doubt(posixpath.join(directory, "any")) or _doubts_within(other, directory))
    place, line = order.place, order.line
    if re.search(r"[*?\[]", directory) or kinds - {"file"} or open_ or (houses and name != "*.whl"):
        return False
    for path in matched:
        entry = other.files.find(path)
        if entry is not None:
            made.state.files.add(posixpath.join(place, posixpath.basename(path)), _copied(entry, order))
    made.state.installs += [replace(each, directory=place, visible=None) for each in houses]
    if houses:
        made.state.files.add(place, PathEntry("directory", user=order.user, mode=0o755, line=line))
        made.state.files.suspect(place, f"the COPY of line {line} brings wheels", DoubtCause.DISTRIBUTIONS)
    return True


def _doubts_within(other: Stage, directory: str) -> bool:
    return any(_within(path, directory) for path in other.files.doubts if path != "/")


def lend(made: Made, other: Stage, source: str, place: str, line: int) -> None:
    """Put what another stage has at a path before a step that mounts it."""
    origin = other.files.resolve(posixpath.normpath("/" + source.lstrip("/")))
    for path, each in list(other.files.below(origin)) if origin not in ("", "/") else ():
        made.state.files.add(place + path[len(origin) :], replace(each, line=line))
    if not origin or origin == "/":
        made.state.files.suspect(place, f"line {line} mounts a whole stage there", DoubtCause.MOUNT)
        return
    if doubt := other.files.doubt(origin):
        made.state.files.doubts.setdefault(place, doubt)
    for path, reason in other.files.doubts.items():
        if path != origin and _within(path, origin):
            made.state.files.doubts.setdefault(_below(path, origin, place), reason)
    _installs_from(made, other, origin, place, CopySelection())


def _installs_from(made: Made, other: Stage, origin: str, place: str, kept: CopySelection) -> None:
    """What was installed below a directory of another stage, and the environments there, are now below this one."""
    made.state.installs += [
        _moved(each, origin, place)
        for each in other.installs
        if _within(each.directory, origin) and kept.has(each.directory[len(origin) :])
    ]
    for path in other.files.whole:
        if _within(path, origin):
            made.state.files.whole.add(_below(path, origin, place))
    for path, venv in other.venvs.items():
        if _within(path, origin):
            made.state.venvs[_below(path, origin, place)] = venv
    for path in other.files.with_modules:
        if _within(path, origin):
            made.state.files.with_modules.add(_below(path, origin, place))
    for path, modules in other.node_modules.items():
        if _within(path, origin):
            made.state.node_modules[_below(path, origin, place)] = modules


def _below(path: str, origin: str, place: str) -> str:
    """Where a path below what was copied is now."""
    return posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/"))


def _doubts_from(made: Made, other: Stage, origin: str, place: str, doubt: Doubt, line: int) -> None:
    if doubt:
        made.state.files.doubts.setdefault(place, doubt)
        if (above := posixpath.dirname(place)) != "/":
            made.state.files.add(above, PathEntry("directory", user=None, line=line))
    for path, reason in other.files.doubts.items():
        if path != origin and _within(path, origin):
            made.state.files.doubts.setdefault(_below(path, origin, place), reason)


def _of_another_python(other: Stage, origin: str) -> bool:
    """Whether a path is of the library of another Python than a stage's own, an official image's: no base has both."""
    match = re.match(r"/usr/local/lib/python(3\.\d+)(?:/|$)", origin)
    usual = bool(other.sites) and other.sites[-1].startswith("/usr/local/lib/python")
    made = (
        any(each.directory.startswith(f"/usr/local/lib/python{match[1]}/") for each in other.installs)
        if match
        else True
    )
    only = all(each.cause in (DoubtCause.BASE, DoubtCause.DISTRIBUTIONS) for each in other.files.every_doubt(origin))
    return match is not None and usual and match[1] != other.python and bool(other.python) and not made and only


def _copied(entry: PathEntry, order: CopyOrder) -> PathEntry:
    return replace(entry, user=order.user, mode=entry.mode if order.mode is None else order.mode, line=order.line)


def _within(path: str, above: str) -> bool:
    return bool(path) and (above in ("/", path) or path.startswith(above + "/"))


def _moved(install: Install, origin: str, place: str) -> Install:
    def carried(path: str) -> str:
        return _below(path, origin, place) if _within(path, origin) else ""

    return replace(install, directory=carried(install.directory), scripts=carried(install.scripts), visible=None)
