"""Writes a manifest for a tree that has none, from what its Dockerfiles and sources say."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from msgspec.json import encode

from smoke.manifest import FILE_NAME, Manifest, ManifestError, parse_manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree


def write_manifest(root: Path) -> str:
    """The text of a manifest for the tree. Raises `ManifestError` when it has nothing to make containers of."""
    tree = Tree(root)
    found = images(tree, Manifest())
    if not found:
        raise ManifestError(f"{root}: there is no Dockerfile in it")
    parts = ["# What `lucid smoke` holds this tree to. Written by `lucid smoke init`: look it over.\n"]
    parts.append(f"title = {_text(tree.root.name)}\n")
    parts += [_service(tree, image) for image in found]
    text = "\n".join(parts)
    parse_manifest(text.encode(), FILE_NAME)
    return text


def _service(tree: Tree, image: Image) -> str:
    lines = [
        "[[service]]",
        f"name = {_text(image.service.name)}",
        f"dockerfile = {_text(image.dockerfile)}",
    ]
    if image.context is not None:
        lines.append(f"context = {_text(image.context or '.')}")
    if image.platform:
        lines.append(f"platform = {_text(image.platform)}")
    if image.user:
        lines.append(f"user = {_text(image.user)}")
    if image.ports:
        lines.append(f"port = {image.ports[0]}")
    start = image.start
    if start.module:
        lines.append(f"module = {_text(start.module)}")
    directories = _directories(tree, image)
    if directories:
        lines.append(f"directories = [{', '.join(map(_text, directories))}]")
    if image.labels:
        lines.append(f"labels = [{', '.join(_text(name) for name in sorted(image.labels))}]")
    return "\n".join(lines) + "\n"


def _directories(tree: Tree, image: Image) -> list[str]:
    """Directories of the tree that the final stage gets copied as they are."""
    sources = {entry.source for entry in image.files.entries.values() if entry.kind == "directory" and entry.source}
    top = {
        source
        for source in sources
        if tree.is_directory(source) and not any(str(parent) in sources for parent in PurePosixPath(source).parents)
    }
    return sorted(top)


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return encode(value).decode().replace("\x7f", "\\u007f")
