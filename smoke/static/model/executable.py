"""Programs that a start names: where they are, and why they could not be executed."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.native import unloadable
from smoke.static.model.packages import system_programs
from smoke.static.model.programs import OF_SYSTEMS
from smoke.static.model.scene import MAX_SCRIPT, Scene
from smoke.static.model.stage import Stage
from smoke.static.python.distributions import program_of
from smoke.static.python.installed import Brought, Presence


class Executable(Struct, frozen=True):
    """Where a program is; with neither a place nor a doubt it surely is nowhere."""

    place: str = ""
    doubt: str = ""
    brought: Brought | None = None
    """The installation that brings it."""
    calls: str = ""
    """What it calls, where a project of the tree describes it: `module:function`."""


def find_program(name: str, scene: Scene) -> Executable:
    """The program that a name means. What installers put into a directory is told by what they installed."""
    state = scene.state
    surroundings = state.surroundings()
    doubt = ""
    for place in surroundings.places(name):
        directory, base = posixpath.split(place)
        entry = state.files.find(place)
        if entry is not None and entry.kind == "file":
            return Executable(place)
        if place in state.files.entries:
            target = posixpath.join(directory, state.files.entries[place].target)
            reason = state.files.doubt(target)
            doubt = doubt or ("" if reason and surroundings.surely_lacks(target, reason) else reason)
            continue
        answer, brought = scene.installed.program(directory, base)
        if answer.presence is Presence.ASKED:
            return Executable(place, brought=brought, calls=answer.by if ":" in answer.by else "")
        own = _is_of_the_tree(base, scene)
        if answer.presence is Presence.UNKNOWN and not own and base not in system_programs() | OF_SYSTEMS:
            doubt = doubt or answer.reason
        for reason in state.files.every_doubt(place):
            if own and reason.cause in (DoubtCause.DISTRIBUTIONS, DoubtCause.BASE):
                continue
            if reason.cause is DoubtCause.DISTRIBUTIONS and any(scene.installed.by_directory(directory)):
                continue
            made = scene.base is not None and "/" in name and not state.files.doubt(place)
            if reason.cause is DoubtCause.BASE and made:
                continue  # its directory was made by a step, or is a mount
            if reason.cause is DoubtCause.BASE and (program_of(base) or scene.installed.of_the_tree(base)):
                continue  # no base brings what a Python distribution does
            if not surroundings.surely_lacks(place, reason):
                doubt = doubt or reason
    if not doubt and scene.base is None and "/" not in name:
        doubt = "the base image is unknown, and with it its programs"
    return Executable(doubt=doubt)


def _is_of_the_tree(name: str, scene: Scene) -> bool:
    """Whether a script has the name of one that the tree put elsewhere: no base and no distribution has another."""
    if not name.endswith((".sh", ".py", ".bash")) or name == "docker-entrypoint.sh":
        return False
    files = scene.state.files.entries
    return scene.base is not None and any(path.endswith(f"/{name}") and files[path].source for path in files)


def is_odd(word: str) -> bool:
    """Whether no program has such a name, whatever the image holds."""
    return any(letter.isspace() or letter in "$'\",]" for letter in word)


def absent(word: str, scene: Scene) -> str:
    if any(letter.isspace() for letter in word):
        return f"{word!r} is one word of an exec form, so a program of that whole name is started: there is none"
    if re.search(r"\$\{?\w", word):
        return f"{word} stays as it is in an exec form, which no shell reads: there is no program of that name"
    if any(letter in "'\",]" for letter in word):
        return (
            f"{word} is what a shell makes of an exec form that is not JSON (it takes double quotes): no such program"
        )
    place = next((each for each in scene.state.surroundings().places(word) if each in scene.state.files.entries), "")
    if place and scene.state.files.entries[place].kind == "link":
        return f"{place} is a link to {scene.state.files.entries[place].target}, which the image does not have"
    return f"{word} is not in the image" + ("" if "/" in word else " (on its PATH)")


def not_executable(program: Executable, scene: Scene) -> str:
    """Why a file that is there cannot be executed; empty when nothing speaks against it."""
    state = scene.state
    if closed := _closed(program.place, state):
        return f"{program.place} cannot be reached by the user {state.user}: {closed} is closed to all but its owner"
    return _refused(program, scene)


def _refused(program: Executable, scene: Scene) -> str:
    state = scene.state
    if program.brought is not None:
        interpreter = program.brought.install.interpreter
        if interpreter and state.files.find(interpreter) is None and not _outside_doubt(state, interpreter):
            return f"{program.place} was made for {interpreter}, which its first line names and the image does not have"
        return ""
    entry = state.files.find(program.place)
    if entry is None:
        return ""
    if entry.line and entry.mode is not None and not may_execute(entry, state):
        return f"{program.place} is not executable (mode {entry.mode:03o}): permission denied"
    trouble = unloadable(entry, state)
    first = state.content(entry)
    if first is not None:
        trouble = trouble or state.surroundings().interpreter(entry, first)
        # A shell runs such a file itself; the kernel, which is asked first, does not.
        if not trouble and not scene.depth and _is_text(first) and not first.startswith(b"#!"):
            trouble = "exec format error, for it does not begin with #!"
    return f"{program.place} cannot be executed: {trouble}" if trouble else ""


def _closed(place: str, state: Stage) -> str:
    """The directory above a program that the user surely may not enter; empty when there is none."""
    user = state.number(state.user) if state.user else None
    parts = posixpath.dirname(place).strip("/").split("/")
    for count in range(1, len(parts) + 1) if user else ():
        entry = state.files.entries.get("/" + "/".join(parts[:count]))
        known = entry is not None and entry.kind == "directory" and entry.user is not None and entry.mode is not None
        if entry is not None and known and entry.user != user and not (entry.mode or 0) & 0o011:
            return "/" + "/".join(parts[:count])
    return ""


def _is_text(data: bytes) -> bool:
    """Whether a file is surely no program of the machine."""
    try:
        return bool(data.strip()) and "\0" not in data[:MAX_SCRIPT].decode()
    except UnicodeDecodeError:
        return False


def _outside_doubt(state: Stage, path: str) -> str:
    """Why a program that no distribution brings may be at a path."""
    causes = (DoubtCause.DISTRIBUTIONS,) if posixpath.basename(path).startswith("python") else ()
    return next((each for each in state.files.every_doubt(path) if each.cause not in (*causes, DoubtCause.BASE)), "")


def may_execute(entry: PathEntry, state: Stage) -> bool:
    mode, user = entry.mode or 0, state.number(state.user) if state.user else None
    if user is None or user == 0:
        return bool(mode & 0o111)
    return bool(mode & 0o111) if entry.user is None else bool(mode & (0o100 if entry.user == user else 0o011))
