"""COPY and ADD: what they bring from the context, from other stages and from elsewhere."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.dockerfile.expansion import MAX_VALUE, expand
from smoke.static.dockerfile.ignore import Ignore, parse_ignore
from smoke.static.dockerfile.instructions import Heredoc, Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.model.archives import unpack
from smoke.static.model.bases.catalog import find_base
from smoke.static.model.build_failure import Lack, Missing
from smoke.static.model.building import MAX_SHOWN, Building, Made
from smoke.static.model.doubt import Doubt, DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install
from smoke.static.model.stage import Stage
from smoke.static.model.versioned import REPOSITORY, brings_repository
from smoke.static.regex import regex

_NAME_OF_A_FILE = regex(
    r"/[\w-][\w.-]*\.(?:json|[cm]?js|css|html|txt|csv|db|sqlite3?|whl|[jw]ar|so|sh|py|toml|ya?ml|xml|pem|crt|gz|zip|tgz|md)$"
)
"""What no directory is called."""
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
    if reference:
        parents, without = _selection(build, made, instruction)
        kept = _Kept(parents, without)
        _copy_from(build, made, reference, words, place, into, user, mode, instruction.line, stage, kept)
        return
    _from_context(build, made, instruction, words, place, into, user, mode)


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


def _from_context(
    build: Building,
    made: Made,
    instruction: Instruction,
    words: list[str],
    place: str,
    into: bool,
    user: int | None,
    mode: int | None,
) -> None:
    """What comes from the build context, and by ADD from elsewhere."""
    state = made.state
    if brings_repository(words) and build.context.keeps(posixpath.join(build.context.directory, ".git")):
        state.settings[REPOSITORY] = "perhaps"
    local = [word for word in words if not _REMOTE.match(word)]
    _fetch(build, state, [word for word in words if _REMOTE.match(word)], place, into, user, mode, instruction)
    if instruction.keyword == "ADD":
        owner = user if instruction.flag("chown") else None
        local = [word for word in local if not _unpacked(build, state, word, place, owner, mode, instruction)]
    parents, without = _selection(build, made, instruction)
    if parents and any("**" in each for each in local):
        state.files.suspect(place, f"the patterns of the COPY of line {instruction.line}", DoubtCause.COPY)
        return
    asked = {name for word in instruction.words for name in made.variables.expand(word).unset} & build.parsed.asked_for
    missing = build.context.copy(
        state.files, local, place, into, user, mode, instruction.line, parents=parents, without=without
    )
    if asked:
        # Whoever builds it gives these: where they lead cannot be told.
        state.files.suspect(
            place, f"{', '.join(sorted(asked))} of line {instruction.line} is not given", DoubtCause.COPY
        )
        missing = []
    build.missing += missing
    for each in missing:
        lost = posixpath.join(place, posixpath.basename(each.source)) if into else place
        state.files.suspect(
            lost, f"the {instruction.keyword} of line {instruction.line} finds nothing", DoubtCause.COPY
        )


def _fetch(
    build: Building,
    state: Stage,
    remote: list[str],
    place: str,
    into: bool,
    user: int | None,
    mode: int | None,
    instruction: Instruction,
) -> None:
    """What ADD brings from elsewhere."""
    if remote and instruction.keyword == "COPY":
        build.refuse(instruction, f"COPY {remote[0][:MAX_SHOWN]}: only ADD takes a URL")
    for word in remote:
        name = posixpath.basename(word.partition("?")[0].rstrip("/")) if into else ""
        if word.startswith("http") and not word.endswith(".git"):
            bits = 0o600 if mode is None else mode
            made_at = posixpath.join(place, name) if name else place
            state.files.add(made_at, PathEntry("file", user=user, mode=bits, line=instruction.line))
    if remote and instruction.keyword == "ADD":
        state.files.suspect(
            place, f"what the ADD of line {instruction.line} brings is not looked into", DoubtCause.COPY
        )


def _unpacked(
    build: Building,
    state: Stage,
    word: str,
    place: str,
    user: int | None,
    mode: int | None,
    instruction: Instruction,
) -> bool:
    """Whether ADD unpacks a source, which is then done."""
    tree = build.context.tree
    found = [path for path in build.context.sources(word) if tree.is_file(path) and build.context.keeps(path)]
    if not found or instruction.flag("unpack") == "false":
        return False
    done = [unpack(state.files, tree, path, place, user, mode, instruction.line) for path in found]
    if any(done):
        state.files.add(place, PathEntry("directory", user=user, mode=0o755, line=instruction.line))
    return all(done)


class _Kept(Struct, frozen=True):
    """What `--parents` and `--exclude` of a COPY from a stage say."""

    parents: bool = False
    without: Ignore | None = None

    def has(self, inside: str) -> bool:
        """Whether a path below the source is copied."""
        inside = inside.strip("/")
        return self.without is None or not inside or self.without.excludes(inside) is None

    def landing(self, place: str, word: str) -> str:
        """Where a source comes to lie: with its directories, as far as they stand behind the pivot `/./`."""
        if not self.parents or re.search(r"[*?\[]", word):
            return place
        before, pivot, after = word.partition("/./")
        return posixpath.normpath(f"{place}/{after if pivot else before}")


def _selection(build: Building, made: Made, instruction: Instruction) -> tuple[bool, Ignore | None]:
    """What `--parents` and `--exclude` say."""
    parents = instruction.flag("parents")
    left_out = [build.expand(made, value, instruction).text for name, value in instruction.flags if name == "exclude"]
    without = Ignore("", parse_ignore("\n".join(left_out))) if left_out else None
    return parents is not None and parents.lower() != "false", without


def _of_files(build: Building, words: list[str]) -> bool:
    """Whether all sources are plain files of the context: directories are put over one another."""
    tree = build.context.tree
    held = [path for word in words for path in build.context.sources(word)]
    return len(held) > 1 and all(tree.is_file(path) for path in held)


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


def _copy_from(
    build: Building,
    made: Made,
    reference: str,
    words: list[str],
    place: str,
    into: bool,
    user: int | None,
    mode: int | None,
    line: int,
    stage: BuildStage,
    kept: _Kept,
) -> None:
    source = build.stages.named(reference, stage.index)
    if source is None:
        lender = Made(find_base(reference, build.bases), reference, build.stages.variables.stage())
    else:
        lender = build.done[source.index]
    other = lender.state
    if made.reference == "scratch" and words == ["/"] and place == "/" and kept == _Kept():
        made.take_over(lender)
    if REPOSITORY in other.settings:
        made.state.settings[REPOSITORY] = other.settings[REPOSITORY]
    for word in words:
        origin = posixpath.normpath("/" + word.lstrip("/"))
        found = list(other.files.below(origin))
        resolved = other.files.resolve(origin)
        doubt = other.files.doubt(origin)
        if not found and re.search(r"[*?\[]", word):
            doubt = doubt or Doubt(f"the COPY of line {line} has wildcards", DoubtCause.COPY)
        elif not found and (not doubt or _of_another_python(other, origin)) and origin != "/":
            build.missing.append(Missing(line, word, Lack.STAGE, f"the stage {reference} does not make it"))
            continue
        entry = other.files.find(origin)
        is_file = entry is not None and entry.kind == "file"
        landed = kept.landing(place, word)
        is_file = is_file or (entry is None and _NAME_OF_A_FILE.search(origin) is not None)
        named = into and is_file and not kept.parents
        made_at = posixpath.join(place, posixpath.basename(origin)) if named else landed
        for path, each in found:
            inside = path[len(resolved) :] if resolved != "/" else path
            if kept.has(inside or posixpath.basename(origin)):
                made.state.files.add(made_at + inside, _copied(each, user, mode, line))
        _doubts_from(build, made, other, resolved, made_at if named else landed, doubt, line)
        _installs_from(made, other, resolved, landed, kept)


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
            made.state.files.doubts.setdefault(posixpath.normpath(place + "/" + path[len(origin) :]), reason)
    _installs_from(made, other, origin, place, _Kept())


def _installs_from(made: Made, other: Stage, origin: str, place: str, kept: _Kept) -> None:
    """What was installed below a directory of another stage, and the environments there, are now below this one."""
    made.state.installs += [
        _moved(each, origin, place)
        for each in other.installs
        if _within(each.directory, origin) and kept.has(each.directory[len(origin) :])
    ]
    for path in other.files.whole:
        if _within(path, origin):
            made.state.files.whole.add(posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/")))
    for path, venv in other.venvs.items():
        if _within(path, origin):
            made.state.venvs[posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/"))] = venv
    for path in other.files.with_modules:
        if _within(path, origin):
            made.state.files.with_modules.add(posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/")))
    for path, modules in other.node_modules.items():
        if _within(path, origin):
            made.state.node_modules[posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/"))] = modules


def _doubts_from(build: Building, made: Made, other: Stage, origin: str, place: str, doubt: Doubt, line: int) -> None:
    if doubt:
        made.state.files.doubts.setdefault(place, doubt)
        if (above := posixpath.dirname(place)) != "/":
            made.state.files.add(above, PathEntry("directory", user=None, line=line))
    for path, reason in other.files.doubts.items():
        if path != origin and _within(path, origin):
            made.state.files.doubts.setdefault(posixpath.normpath(place + "/" + path[len(origin) :]), reason)


def _copied(entry: PathEntry, user: int | None, mode: int | None, line: int) -> PathEntry:
    return replace(entry, user=user, mode=entry.mode if mode is None else mode, line=line)


def _within(path: str, above: str) -> bool:
    return bool(path) and (above in ("/", path) or path.startswith(above + "/"))


def _moved(install: Install, origin: str, place: str) -> Install:
    def carried(path: str) -> str:
        return posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/")) if _within(path, origin) else ""

    return replace(install, directory=carried(install.directory), scripts=carried(install.scripts), visible=None)
