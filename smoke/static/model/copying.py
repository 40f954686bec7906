"""Copying into a stage, which COPY and ADD do."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from smoke.static.dockerfile.expansion import MAX_VALUE, expand
from smoke.static.dockerfile.ignore import Ignore, parse_ignore
from smoke.static.dockerfile.instructions import Heredoc, Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.archives import unpack
from smoke.static.model.building import MAX_SHOWN, Building, Made
from smoke.static.model.copyorder import CopyOrder, CopySelection
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.from_stage import copy_from
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import REPOSITORY, brings_repository
from smoke.static.regex import regex

_REMOTE = regex(r"https?://|git://|ssh://|git@|ftp://")


def copy(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """COPY and ADD."""
    words = [
        each if instruction.exec_form or not each.startswith("<<") else ""
        for each in (build.expand(made, word, instruction).text for word in instruction.words)
    ]
    target = words.pop() if words else ""
    words = [word for word in words if word]
    into = target.endswith("/") or target in (".", "./") or len(words) + len(instruction.heredocs) > 1
    state = made.state
    place = state.path(target or ".")
    held = state.files.find(place)
    several = len(words) + len(instruction.heredocs) > 1
    named = target.endswith(("/", "/.")) or target in (".", "..") or (held is not None and held.kind == "directory")
    if several and not named and not instruction.flag("from") and _of_files(build, words):
        # Some builders refuse this, the others put one file over the other.
        message = f"{instruction.keyword} of several files needs a directory: write {target[:MAX_SHOWN]}/"
        build.refuse(instruction, message)
    if target.endswith("/") and held is not None and held.kind == "file" and held.line:
        message = f"{instruction.keyword} into {target[:MAX_SHOWN]}: line {held.line} made a file of that name"
        build.refuse(instruction, message)
    into = into or (held is not None and held.kind == "directory")
    user = _owner(build, made, instruction)
    mode = _mode(build, made, instruction)
    reference = instruction.flag("from")
    for heredoc in instruction.heredocs:
        name = posixpath.join(place, heredoc.name) if into else place
        bits = 0o644 if mode is None else mode
        text = _written(build, made, instruction, heredoc)
        source = _kept(build, heredoc, name, text)
        text = text if source else None
        state.files.add(name, PathEntry("file", source, user=user, mode=bits, line=instruction.line, text=text))
    order = CopyOrder(
        sources=tuple(words),
        place=place,
        into=into,
        user=user,
        mode=mode,
        line=instruction.line,
        selection=_selection(build, made, instruction),
    )
    if reference:
        copy_from(build, made, stage, reference, order)
    else:
        _from_context(build, made, instruction, order)


def _written(build: Building, made: Made, instruction: Instruction, heredoc: Heredoc) -> str | None:
    """What a here-document comes to: with its variables, unless its name is quoted; none where that is not known."""
    if not heredoc.expand:
        return heredoc.content
    found = expand(heredoc.content, made.variables.values(), quotes=False)
    if found.failed:
        build.refuse(instruction, f"the here-document {heredoc.name[:MAX_SHOWN]}: {found.failed}")
    unknown = {*found.unset} & build.parsed.asked_for or len(heredoc.content) >= MAX_VALUE
    return None if found.failed or unknown else found.text


def _kept(build: Building, heredoc: Heredoc, place: str, text: str | None) -> str:
    """The name by which the tree has a here-document, as if it were a file that is copied."""
    tree = build.context.tree
    if text is None:
        return ""
    source = f"{build.dockerfile}:{heredoc.line}/{posixpath.basename(place)}"
    data = text.encode("utf-8", "replace")
    while tree.written.get(source, data) != data:  # another service gives it other arguments
        source = f"{source.rpartition('/')[0]}:/{posixpath.basename(place)}"
    return source if tree.keep(source, data, build.dockerfile, heredoc.line) else ""


def _from_context(build: Building, made: Made, instruction: Instruction, order: CopyOrder) -> None:
    """What comes from the build context, and by ADD from elsewhere."""
    state, place = made.state, order.place
    if brings_repository(order.sources) and build.context.keeps(posixpath.join(build.context.directory, ".git")):
        state.settings[REPOSITORY] = "perhaps"
    local = [word for word in order.sources if not _REMOTE.match(word)]
    remote = tuple(word for word in order.sources if _REMOTE.match(word))
    _fetch(build, state, instruction, replace(order, sources=remote))
    if instruction.keyword == "ADD":
        owned = order if instruction.flag("chown") else replace(order, user=None)
        local = [word for word in local if not _unpacked(build, state, instruction, word, owned)]
    if order.selection.parents and any("**" in each for each in local):
        state.files.suspect(place, f"the patterns of the COPY of line {instruction.line}", DoubtCause.COPY)
        return
    asked = {name for word in instruction.words for name in made.variables.expand(word).unset} & build.parsed.asked_for
    missing = build.context.copy(state.files, replace(order, sources=tuple(local)))
    if asked:
        # Whoever builds it gives these: where they lead cannot be told.
        state.files.suspect(
            place, f"{', '.join(sorted(asked))} of line {instruction.line} is not given", DoubtCause.COPY
        )
        missing = []
    build.missing += missing
    for each in missing:
        lost = posixpath.join(place, posixpath.basename(each.source)) if order.into else place
        state.files.suspect(
            lost, f"the {instruction.keyword} of line {instruction.line} finds nothing", DoubtCause.COPY
        )


def _fetch(build: Building, state: Stage, instruction: Instruction, order: CopyOrder) -> None:
    """What ADD brings from elsewhere."""
    remote, place = order.sources, order.place
    if remote and instruction.keyword == "COPY":
        build.refuse(instruction, f"COPY {remote[0][:MAX_SHOWN]}: only ADD takes a URL")
    for word in remote:
        name = posixpath.basename(word.partition("?")[0].rstrip("/")) if order.into else ""
        if word.startswith("http") and not word.endswith(".git"):
            bits = 0o600 if order.mode is None else order.mode
            made_at = posixpath.join(place, name) if name else place
            state.files.add(made_at, PathEntry("file", user=order.user, mode=bits, line=order.line))
    if remote and instruction.keyword == "ADD":
        state.files.suspect(
            place, f"what the ADD of line {instruction.line} brings is not looked into", DoubtCause.COPY
        )


def _unpacked(build: Building, state: Stage, instruction: Instruction, word: str, order: CopyOrder) -> bool:
    """Whether ADD unpacks a source, which is then done."""
    tree = build.context.tree
    found = [path for path in build.context.sources(word) if tree.is_file(path) and build.context.keeps(path)]
    if not found or instruction.flag("unpack") == "false":
        return False
    done = [unpack(state.files, tree, path, order) for path in found]
    if any(done):
        state.files.add(order.place, PathEntry("directory", user=order.user, mode=0o755, line=order.line))
    return all(done)


def _selection(build: Building, made: Made, instruction: Instruction) -> CopySelection:
    """What `--parents` and `--exclude` say."""
    parents = instruction.flag("parents")
    left_out = [build.expand(made, value, instruction).text for name, value in instruction.flags if name == "exclude"]
    without = Ignore("", parse_ignore("\n".join(left_out))) if left_out else None
    return CopySelection(parents is not None and parents.lower() != "false", without)


def _of_files(build: Building, words: list[str]) -> bool:
    """Whether all sources are plain files of the context: directories are put over one another."""
    tree = build.context.tree
    held = [path for word in words for path in build.context.sources(word)]
    return len(held) > 1 and all(tree.is_file(path) for path in held)


def _owner(build: Building, made: Made, instruction: Instruction) -> int | None:
    """The user that what is copied belongs to: root, or whom --chown names; none when that cannot be told."""
    state = made.state
    chown = build.expand(made, instruction.flag("chown") or "", instruction).text
    user = state.number(chown) if chown else 0
    account = chown.partition(":")[0]
    if user is None and state.users_known and re.fullmatch(r"[A-Za-z_][\w.-]*", account):
        build.refuse(instruction, f"--chown={chown[:MAX_SHOWN]}: there is no user {account} at this step")
    return user


def _mode(build: Building, made: Made, instruction: Instruction) -> int | None:
    """What --chmod says in octal digits; none when it says nothing, or in letters."""
    text = build.expand(made, instruction.flag("chmod") or "", instruction).text
    if not re.fullmatch(r"\d+", text):
        return None
    if not re.fullmatch(r"[0-7]{1,5}", text) or int(text, 8) > 0o7777:
        build.refuse(instruction, f"--chmod={text[:MAX_SHOWN]}: that is not an octal mode")
        return None
    return int(text, 8)
