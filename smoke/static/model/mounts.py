"""What Compose lays over a stage when it starts it: environment, user, working directory, and mounts."""

from __future__ import annotations

import posixpath

from msgspec.structs import replace

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.launch import Launch, Mount, MountKind
from smoke.static.model.stage import Stage
from smoke.static.regex import regex
from smoke.tree import Tree


def launched(stage: Stage, launch: Launch, tree: Tree) -> Stage:
    """The stage as its container sees it."""
    environment = {**stage.environment, **launch.environment}
    if "$" in environment.get("PATH", ""):
        environment["PATH"] = stage.environment.get("PATH", "")
    modules = dict(stage.node_modules)
    made = replace(stage, files=stage.files.copy(), environment=environment, node_modules=modules)
    if launch.user is not None and "$" not in launch.user:
        made.user = launch.user
    if launch.workdir is not None and "$" not in launch.workdir:
        made.workdir = posixpath.normpath(posixpath.join(stage.workdir, launch.workdir))
    for mount in sorted(launch.mounts, key=lambda each: (each.target.count("/"), each.target)):
        _lay(made.files, stage.files, mount, tree)
    hidden = [each.target for each in launch.mounts if each.kind in (MountKind.TREE, MountKind.EMPTY)]
    made.venvs = {path: venv for path, venv in made.venvs.items() if made.files.find(f"{path}/bin") is not None}
    for path in [each for each in made.node_modules if any(_below(each, target) for target in hidden)]:
        if not any(each.kind is MountKind.VOLUME and _below(path, each.target) for each in launch.mounts):
            del made.node_modules[path]
            if _installed_by_hand(tree):
                made.files.suspect(path, "who works here installs it beside the tree", DoubtCause.MOUNT)
    made.installs = [
        each
        for each in made.installs
        if not any(_below(each.directory, target) for target in hidden) or made.files.find(each.directory) is not None
    ]
    return made


_TELLS = regex(
    r"(?i)(?:.*/)?(?:readme|install|contributing|develop|makefile|justfile|taskfile)[^/]*|.*\.(?:md|rst|sh|mk)"
)
_BY_HAND = regex(r"(?m)\b(?:npm|pnpm) (?:ci|i|install)\b|\byarn(?: install)?[ \t]*$|\bbun i")


def _installed_by_hand(tree: Tree) -> bool:
    """Whether a text tells those who work on the tree to install its node_modules."""
    return any(_BY_HAND.search(tree.text(path)) for path in tree.files() if _TELLS.fullmatch(path))


def _below(path: str, target: str) -> bool:
    return bool(path) and (path == target or path.startswith(target.rstrip("/") + "/"))


def _lay(files: FileSystem, image: FileSystem, mount: Mount, tree: Tree) -> None:
    target = mount.target
    reason = f"something of the machine is mounted at {target}"
    if target == "/":
        return
    if mount.kind is MountKind.VOLUME:
        for path, entry in image.below(target):
            files.add(path, entry)
        if files.find(target) is None:
            files.add(target, PathEntry("directory", mode=0o755, line=max(mount.line, 1)))
        _forget_doubts(files, target)
        for path, doubt in image.doubts.items():
            if _below(path, target):
                files.doubts[path] = doubt
        return
    files.remove(files.resolve(target) or target)
    _forget_doubts(files, target)
    if mount.kind is MountKind.UNKNOWN:
        files.suspect(target, reason, DoubtCause.MOUNT)
        return
    line = max(mount.line, 1)
    if mount.kind is MountKind.TREE and tree.is_file(mount.source):
        files.add(target, PathEntry("file", mount.source, user=None, mode=tree.modes.get(mount.source), line=line))
        return
    source = mount.source if mount.kind is MountKind.TREE else ""
    files.add(target, PathEntry("directory", source, user=None, mode=0o755, line=line))
    if mount.kind is not MountKind.TREE:
        return
    prefix = f"{mount.source}/" if mount.source else ""
    for path in tree.files(mount.source):
        place = posixpath.join(target, path[len(prefix) :])
        files.add(place, PathEntry("file", path, user=None, mode=tree.modes.get(path), line=line))


def _forget_doubts(files: FileSystem, target: str) -> None:
    for path in [path for path in files.doubts if _below(path, target)]:
        del files.doubts[path]
