"""One service of a Compose project: how it is started, and as which image."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.compose.builds import ComposeBuild, build_of, further_contexts
from smoke.static.compose.document import YamlNode, as_mapping, text_of
from smoke.static.compose.envfile import env_values
from smoke.static.compose.interpolation import interpolated
from smoke.static.compose.volumes import mounts_of
from smoke.static.model.launch import Launch, MountKind
from smoke.static.regex import regex
from smoke.tree import Tree

_PYTHON = regex(r"(?:docker\.io/)?(?:library/)?python:\d[\w.-]*")
"""Images that hold Python and nothing else."""
_INSTALLS = regex(r"\b(?:install|sync|pip|uv|poetry|pipenv|apk|apt|apt-get|sh|bash)\b")


class ComposeService(Struct, frozen=True):
    """One service, all its files put together."""

    name: str
    file: str
    node: YamlNode
    build: ComposeBuild | None
    image: str
    launch: Launch


def _published(node: YamlNode | None, values: dict[str, str]) -> frozenset[int]:
    """The container's side of what is published."""
    found = []
    for item in (node.items or []) if node is not None else []:
        target = item.get("target") if item.mapping is not None else item
        text = interpolated(text_of(target), values).partition("/")[0].rpartition(":")[2]
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            return frozenset()
        found.append(int(text))
    return frozenset(found)


def service_of(tree: Tree, name: str, node: YamlNode, directory: str, values: dict[str, str]) -> ComposeService:
    file = node.file
    build = build_of(node.get("build"), directory, values, text_of(node.get("platform")))
    image = interpolated(text_of(node.get("image")), values)
    environment, doubt = _environment(tree, node, directory, values)
    entrypoint, command = (_words(node.get(key), values) for key in ("entrypoint", "command"))
    decides = node.get("command") or node.get("entrypoint")
    user, workdir = node.get("user"), node.get("working_dir")
    launch = Launch(
        name,
        file,
        node.line,
        entrypoint=entrypoint,
        command=command,
        start_line=decides.line if decides is not None else 0,
        user=interpolated(user.text, values) if user is not None and user.text else None,
        workdir=interpolated(workdir.text, values) if workdir is not None and workdir.text else None,
        environment=environment,
        environment_doubt=doubt,
        read_only=text_of(node.get("read_only")) == "true",
        contexts=further_contexts(node.get("build")),
        published=_published(node.get("ports"), values),
        by_hand=node.get("profiles") is not None
        or any(text_of(node.get(key)) == "true" for key in ("stdin_open", "tty")),
        mounts=tuple(mounts_of(tree, node, directory, values)),
    )
    if build is None and node.get("extends") is None and _runs_what_is_mounted(image, launch):
        # It is judged as an image that is built without any code of its own would be.
        build = ComposeBuild("", f"{file}#{node.line}", line=node.line, inline=f"FROM {image}\n")
    return ComposeService(name=name, file=file, node=node, build=build, image=image, launch=launch)


def _runs_what_is_mounted(image: str, launch: Launch) -> bool:
    """Whether a public image of Python starts code of the tree, and installs nothing before it does."""
    words = [*(launch.entrypoint or ()), *(launch.command or ())]
    mounted = bool(launch.mounts) and all(each.kind is MountKind.TREE for each in launch.mounts)
    plain = bool(launch.command) and not any(_INSTALLS.search(word) for word in words)
    return plain and mounted and _PYTHON.fullmatch(image) is not None


def _words(node: YamlNode | None, values: dict[str, str]) -> tuple[str, ...] | None:
    """A command: a list, or a text that Compose cuts like a shell without being one."""
    if node is None or node.null:
        return None
    if node.items is not None:
        return tuple(interpolated(item.text, values) for item in node.items)
    text = interpolated(node.text, values)
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def env_files(node: YamlNode) -> Iterator[tuple[YamlNode, bool]]:
    """The env_file entries of a service, and whether each must be there."""
    given = node.get("env_file")
    if given is None or given.null:
        return
    for item in given.items if given.items is not None else [given]:
        if item.mapping is None:
            yield item, True
        elif (path := item.get("path")) is not None:
            yield path, text_of(item.get("required")) != "false"


def _environment(tree: Tree, node: YamlNode, directory: str, values: dict[str, str]) -> tuple[dict[str, str], str]:
    """Variables that a service is given, and why there may be more."""
    found: dict[str, str] = {}
    doubt = ""
    for item, _ in env_files(node):
        path = posixpath.normpath(posixpath.join(directory, interpolated(item.text, values)))
        if tree.is_file(path):
            found |= env_values(tree.text(path))
        else:
            doubt = f"{item.text} is not in the tree"
    given = node.get("environment")
    for name, value in ((as_mapping(given, "environment") or {}) if given is not None else {}).items():
        found[name] = values.get(name, f"${{{name}}}") if value.null else interpolated(value.text, values)
    return found, doubt
