"""Which paths a tree leaves out of git: what is made before a build is no fault of the build's files."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase

from smoke.tree import Tree

MAX_LINES = 2_000


def made_beforehand(tree: Tree, path: str) -> str:
    """The .gitignore that leaves a path (or a directory above it) out of git; empty when none does, or it is there."""
    if path == ".git" or path.startswith(".git/") or "/.git" in path:
        return ".git itself"
    if module := _empty_submodule(tree, path):
        return module
    parts = path.strip("/").split("/")
    for depth in range(len(parts)):
        directory = "/".join(parts[:depth])
        name = posixpath.join(directory, ".gitignore")
        if tree.is_file(name) and _ignored(tree.text(name), parts[depth:]):
            return name
    return ""


def _empty_submodule(tree: Tree, path: str) -> str:
    """`.gitmodules`, where a path is below a submodule that was not checked out."""
    if not tree.is_file(".gitmodules"):
        return ""
    for line in tree.text(".gitmodules").split("\n")[:MAX_LINES]:
        key, _, value = (word.strip() for word in line.partition("="))
        below = path.strip("/") == value or path.strip("/").startswith(f"{value}/")
        if key == "path" and value and below and not any(tree.files(value)):
            return ".gitmodules"
    return ""


def _ignored(text: str, parts: list[str]) -> bool:
    ignored = False
    for line in text.split("\n")[:MAX_LINES]:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        negated = pattern.startswith("!")
        if _matches(pattern.lstrip("!").removesuffix("/**").removesuffix("/*").rstrip("/"), parts):
            ignored = not negated
    return ignored


def _matches(pattern: str, parts: list[str]) -> bool:
    """Whether a pattern matches the path or a directory above it."""
    pattern = pattern.removeprefix("**/")
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in parts)
    pattern = pattern.lstrip("/")
    return any(fnmatchcase("/".join(parts[:count]), pattern) for count in range(1, len(parts) + 1))
