"""What Compose mounts into a service: volumes, files of the tree, secrets and configurations."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.static.compose.document import YamlNode, text_of
from smoke.static.compose.interpolation import interpolated
from smoke.static.model.launch import Mount, MountKind
from smoke.tree import Tree


def mounts_of(tree: Tree, node: YamlNode, directory: str, values: dict[str, str]) -> Iterator[Mount]:
    """The mounts of a service, those of which nobody knows what is in them among them."""
    volumes = node.get("volumes")
    for item in volumes.children() if volumes is not None else ():
        if item.mapping is not None:
            kind, source = text_of(item.get("type")) or "volume", interpolated(text_of(item.get("source")), values)
            target = interpolated(text_of(item.get("target")), values)
        else:
            source, target = _short(interpolated(item.text, values))
            kind = "bind" if re.match(r"[./~$]", source) else "volume"
        if "$" in target or not target.startswith("/"):
            continue
        yield _mount(tree, kind, source, posixpath.normpath(target), directory, item.line)
    tmpfs = node.get("tmpfs")
    for item in (tmpfs.items if tmpfs.items is not None else [tmpfs]) if tmpfs is not None else ():
        if item.text.startswith("/"):
            yield Mount(MountKind.EMPTY, posixpath.normpath(item.text.partition(":")[0]), line=item.line)
    for what in ("secrets", "configs"):
        if (given := node.get(what)) is not None:
            for item in given.children():
                name = item.text or text_of(item.get("source"))
                target = text_of(item.get("target")) or (f"/{name}" if what == "configs" else name)
                if what == "secrets" and not target.startswith("/"):
                    target = f"/run/secrets/{target}"
                if target.startswith("/"):
                    yield Mount(MountKind.UNKNOWN, posixpath.normpath(target), line=item.line)


def _short(text: str) -> tuple[str, str]:
    """`source:target:options` and its shorter forms."""
    parts = text.split(":")
    if len(parts) == 1:
        return "", parts[0]
    return parts[0], parts[1]


def _mount(tree: Tree, kind: str, source: str, target: str, directory: str, line: int) -> Mount:
    if kind == "tmpfs":
        return Mount(MountKind.EMPTY, target, line=line)
    if kind != "bind":
        return Mount(MountKind.VOLUME, target, line=line)
    if re.match(r"\.{1,2}(?:/|$)", source):
        path = posixpath.normpath(posixpath.join(directory, source))
        path = "" if path == "." else path
        if not path.startswith("..") and (tree.is_file(path) or tree.is_directory(path)):
            return Mount(MountKind.TREE, target, path, line)
    return Mount(MountKind.UNKNOWN, target, line=line)
