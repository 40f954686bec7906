"""Puts an installation on record, and what it leaves into the file system of the stage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install, InstalledProject, Lock
from smoke.static.model.installers.packing import Packing, packing
from smoke.static.model.installers.places import _interpreter, scripts_of
from smoke.static.model.installers.wanted import InstallRequest
from smoke.static.model.stage import Stage


def record(stage: Stage, wanted: InstallRequest, line: int, *, house: bool = False, lock: Lock | None = None) -> None:
    """Put an installation on record, and its directories into the file system."""
    directory = wanted.directory
    if house:
        wanted.projects = [_packed(stage, project, line) for project in wanted.projects]
    scripts = wanted.scripts or (scripts_of(directory) if directory and not house else "")
    doubt = wanted.doubt or ("" if directory else "where it is installed is not known")
    if not directory:
        stage.slim = False  # it brings programs to a place that is not known
    if directory:
        installed(stage, directory, scripts, line)
    stage.installs.append(
        Install(
            line=line,
            requirements=tuple(source for source in wanted.requirements if source),
            distributions=tuple(wanted.given),
            directory=directory,
            visible=None,
            doubt=doubt,
            projects=tuple(wanted.projects),
            lock=lock,
            made=wanted.made,
            scripts=scripts,
            interpreter="" if house else _interpreter(stage, directory),
            house=house,
            no_dependencies=wanted.no_dependencies,
            wheels=tuple(wanted.wheels),
            no_index=wanted.no_index,
        )
    )
    if directory and not house:
        for project in wanted.projects:
            if not project.alone:
                _lay_out(stage, project, directory, line)


def installed(stage: Stage, directory: str, scripts: str, line: int) -> None:
    """The directories of an installation, in doubt: what is in them is judged by what was asked for."""
    reason = f"what pip installed in line {line} is known by its requirements alone"
    for each in (directory, scripts):
        if each:
            stage.files.add(each, PathEntry("directory", user=stage.number(stage.user), mode=0o755, line=line))
            stage.files.suspect(each, reason, DoubtCause.DISTRIBUTIONS)


_NO_PACKAGES = frozenset(
    ["tests", "test", "docs", "doc", "examples", "example", "scripts", "build", "dist", "tools", "src"]
)


_UNPACKED = "/.unpacked"


def _packed(stage: Stage, project: InstalledProject, line: int) -> InstalledProject:
    """The project with what its wheel holds."""
    if project.alone or project.editable or project.packed:
        return project
    own = replace(stage, files=stage.files.copy())
    _lay_out(own, project, _UNPACKED, line)
    held = [(path, entry) for path, entry in own.files.below(_UNPACKED) if entry.kind != "directory"]
    whole = tuple(name for name in own.files.names(_UNPACKED) if f"{_UNPACKED}/{name}" in own.files.whole)
    return replace(project, packed=tuple((path[len(_UNPACKED) :], entry) for path, entry in held), whole=whole)


def _lay_out(stage: Stage, project: InstalledProject, directory: str, line: int) -> None:
    """The modules of a project where its installation puts them; an editable one is a link to its sources."""
    root = project.place.rstrip("/")
    for inside, entry in project.packed:
        stage.files.add(directory + inside, replace(entry, user=stage.number(stage.user), line=line))
    stage.files.whole |= {stage.files.resolve(f"{directory}/{name}") for name in project.whole}
    if project.packed:
        return
    rules = None if project.editable else packing(stage, root)
    for base in (f"{root}/src", root):
        spaces = None if project.editable or rules is not None else _quoted(stage, f"{root}/pyproject.toml")
        found = [name for name in stage.files.names(base) if _is_module(stage, base, name, spaces)]
        if base == f"{root}/src":
            found = [*found, *(name for name in stage.files.names(base) if name not in found and "." not in name)]
        if not found:
            continue
        for name in found:
            if project.editable:
                stage.files.add(f"{directory}/{name}", PathEntry("link", target=f"{base}/{name}", line=line))
                continue
            real = stage.files.resolve(base).rstrip("/")
            for path, entry in list(stage.files.below(f"{base}/{name}")):
                inside = path[len(real) :]
                if rules is not None and not _taken(stage, rules, real, inside, entry):
                    continue
                owner = stage.number(stage.user)
                mode = 0o755 if entry.kind == "directory" else 0o644
                stage.files.add(directory + inside, replace(entry, user=owner, mode=mode, line=line))
            surely = not any(each.startswith(f"{real}/{name}") for each in stage.files.doubts)
            regular = stage.files.find(f"{directory}/{name}/__init__.py") is not None
            if rules is not None and regular and surely and not stage.files.doubt(f"{real}/{name}"):
                stage.files.whole.add(stage.files.resolve(f"{directory}/{name}"))
        return


def _quoted(stage: Stage, path: str) -> set[str]:
    """The names that stand in quotes in a file, as packages do that a project's backend is told of."""
    entry = stage.files.find(path)
    data = stage.content(entry) if entry is not None else None
    return {*re.findall(r"[\"'](?:\./|src/)?(\w+)/?[\"']", (data or b"").decode("utf-8", "replace"))}


def _is_module(stage: Stage, base: str, name: str, spaces: set[str] | None) -> bool:
    """Whether a file or directory may be a module of a project: if it has no __init__.py, it is one of `spaces`, or
    any of that kind is one."""
    if name in _NO_PACKAGES or name.startswith("."):
        return False
    if name.endswith(".py"):
        return name not in ("setup.py", "conftest.py")
    if stage.files.find(f"{base}/{name}/__init__.py"):
        return True
    told = spaces is None or name in spaces
    return told and name.isidentifier() and any(each.endswith(".py") for each in stage.files.names(f"{base}/{name}"))


def _taken(stage: Stage, rules: Packing, base: str, inside: str, entry: PathEntry) -> bool:
    """Whether the rules take a file; a directory comes with what is in it."""
    if entry.kind != "file":
        return entry.kind == "link"
    return rules.takes(inside.lstrip("/"), lambda beside: stage.files.find(f"{base}/{beside}") is not None)


def doubtful(stage: Stage, tool: str, line: int) -> None:
    doubt = f"what {tool} installs in line {line} is not followed"
    stage.installs.append(Install(line, doubt=doubt))
    for site in stage.sites:
        stage.files.suspect(site, doubt, DoubtCause.COMMAND)


def doubtful_file(stage: Stage, rest: Sequence[str], line: int) -> None:
    """A requirement file that a tool writes from its lock."""
    for place, word in enumerate(rest):
        if word in ("-o", "--output") and place + 1 < len(rest):
            stage.files.add(stage.path(rest[place + 1]), PathEntry("file", mode=0o644, line=line))
