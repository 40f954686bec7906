"""The targets of docker-bake files, as far as they are plain: HCL's blocks of texts, lists and maps, or JSON."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from smoke.static.compose.builds import ComposeBuild
from smoke.static.generated import made_beforehand
from smoke.static.hcl import read_hcl
from smoke.static.regex import regex
from smoke.static.trouble import Trouble
from smoke.tree import Tree

MAX_TARGETS = 100
MAX_LETTERS = 1 << 20
_FILE = regex(r"docker-bake(?:\.override)?\.(?:hcl|json)")


def bake_targets(tree: Tree) -> Iterator[tuple[str, ComposeBuild, str]]:
    """Each target with its name, what it builds and the file that says so."""
    for path in tree.files():
        if not _FILE.fullmatch(posixpath.basename(path)) or tree.sizes[path] > MAX_LETTERS:
            continue
        blocks = _json(tree.text(path)) if path.endswith(".json") else read_hcl(tree.text(path))
        targets, variables = blocks.get("target", {}), blocks.get("variable", {})
        parents = {str(each) for body in targets.values() if isinstance(body, dict) for each in _listed(body)}
        values = {name: body.get("default") for name, body in variables.items() if isinstance(body, dict)}
        for name in list(targets)[:MAX_TARGETS]:
            body = _inherited(targets, name, 0)
            build = _build(tree, posixpath.dirname(path), body, values)
            if build is not None and not tree.is_file(build.dockerfile):
                # Contexts are told from where bake is run: beside its file, or at the root with the file's path.
                at_root = _build(tree, "", body, values)
                build = at_root if at_root is not None and tree.is_file(at_root.dockerfile) else build
            if build is not None and not tree.is_file(build.dockerfile):
                # One that others inherit from may be meant for them alone.
                own = isinstance(targets[name], dict) and "dockerfile" in targets[name] and name not in parents
                build = build if own and not made_beforehand(tree, build.dockerfile) else None
            if build is not None and not name.startswith("_"):
                yield name, build, path


def undefined_targets(tree: Tree) -> Iterator[Trouble]:
    """Targets that others inherit from, build upon or group, and that no bake file of their directory has."""
    by_directory: dict[str, dict[str, dict[str, Any]]] = {}
    for path in tree.files():
        if _FILE.fullmatch(posixpath.basename(path)) and tree.sizes[path] <= MAX_LETTERS:
            blocks = _json(tree.text(path)) if path.endswith(".json") else read_hcl(tree.text(path))
            by_directory.setdefault(posixpath.dirname(path), {})[path] = blocks
    for files in by_directory.values():
        targets = {name for blocks in files.values() for name in blocks.get("target", {})}
        known = targets | {name for blocks in files.values() for name in blocks.get("group", {})}
        bodies = [body for blocks in files.values() for body in blocks.get("target", {}).values()]
        if any(isinstance(body, dict) and "matrix" in body for body in bodies) or not targets:
            continue
        for path, blocks in files.items():
            for by, wanted in _references(blocks):
                if wanted not in (targets if by.startswith("target") else known) and "$" not in wanted:
                    yield Trouble(path, 0, f"{by} names the target {wanted}, which no bake file has")


def _references(blocks: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What targets and groups name, with who does."""
    for name, body in blocks.get("target", {}).items():
        if isinstance(body, dict):
            yield from ((f"target {name}", str(each)) for each in _listed(body) if isinstance(each, str))
            contexts = body.get("contexts")
            for value in contexts.values() if isinstance(contexts, dict) else ():
                if isinstance(value, str) and value.startswith("target:"):
                    yield f"target {name}", value.removeprefix("target:")
    for name, body in blocks.get("group", {}).items():
        given = body.get("targets") if isinstance(body, dict) else None
        yield from (
            (f"group {name}", each) for each in given or () if isinstance(given, list) and isinstance(each, str)
        )


def _listed(body: dict[str, Any]) -> list[Any]:
    parents = body.get("inherits")
    return parents if isinstance(parents, list) else []


def _inherited(targets: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
    own = targets.get(name)
    if not isinstance(own, dict) or depth > 8:
        return {}
    made: dict[str, Any] = {}
    parents = own.get("inherits")
    for parent in parents if isinstance(parents, list) else []:
        made |= _inherited(targets, str(parent), depth + 1)
    both = {**(made.get("args") or {}), **(own.get("args") or {})} if isinstance(own.get("args"), dict) else None
    return {**made, **own, **({"args": both} if both is not None else {})}


def _build(tree: Tree, directory: str, body: dict[str, Any], values: dict[str, Any]) -> ComposeBuild | None:
    if not body or "dockerfile-inline" in body:
        return None
    context, file, target = (_plain(body.get(key), values, usual) for key, usual in _TEXTS)
    if context is None or file is None or re.match(r"[a-z]+://|git@|/", context):
        return None
    place = posixpath.normpath(posixpath.join(directory, context))
    dockerfile = posixpath.normpath(posixpath.join(place, file))
    if place.startswith("..") or dockerfile.startswith(("..", "/")):
        return None
    given = body.get("args")
    arguments = {}
    for name, value in (given if isinstance(given, dict) else {}).items():
        text = _plain(value, values, None)
        if text is not None:
            arguments[name] = text
    platforms = body.get("platforms")
    one = platforms[0] if isinstance(platforms, list) and len(platforms) == 1 else None
    platform = _plain(one, values, None)
    return ComposeBuild(
        context="" if place == "." else place,
        dockerfile=dockerfile,
        target=target or None,
        arguments=arguments,
        platform=platform,
    )


_TEXTS = (("context", "."), ("dockerfile", "Dockerfile"), ("target", ""))


def _plain(value: Any, values: dict[str, Any], usual: str | None) -> str | None:
    """A text with its `${NAME}` replaced; none when it is not known."""
    if value is None:
        return usual
    if not isinstance(value, str):
        return None

    def named(match: re.Match[str]) -> str:
        held = values.get(match[1])
        return held if isinstance(held, str) else match[0]

    text = re.sub(r"\$\{([A-Za-z_]\w*)\}", named, value)
    return None if "${" in text else text


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    kinds = value if isinstance(value, dict) else {}
    return {key: each for key, each in kinds.items() if isinstance(each, dict)}
