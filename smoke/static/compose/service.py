"""One service of a Compose project: what it is built from and how it is started."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

from msgspec import Struct, field

from smoke.static.compose.document import YamlNode, as_mapping, text_of
from smoke.static.compose.envfile import env_values
from smoke.static.compose.interpolation import interpolated
from smoke.static.model.launch import Launch, Mount, MountKind
from smoke.static.regex import regex
from smoke.tree import Tree

_PYTHON = regex(r"(?:docker\.io/)?(?:library/)?python:\d[\w.-]*")
"""Images that hold Python and nothing else."""
_INSTALLS = regex(r"\b(?:install|sync|pip|uv|poetry|pipenv|apk|apt|apt-get|sh|bash)\b")


class ComposeBuild(Struct, frozen=True):
    """What a service's image is built from."""

    context: str
    """Directory of the tree; empty for its root."""
    dockerfile: str
    target: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    platform: str | None = None
    line: int = 0
    doubt: str = ""
    """Why it cannot be followed: a variable in a path, a repository elsewhere."""
    inline: str = ""
    """The Dockerfile's own text, where the Compose file has it; `dockerfile` is then no file of the tree."""


class ComposeService(Struct, frozen=True):
    """One service, all its files put together."""

    name: str
    file: str
    node: YamlNode
    build: ComposeBuild | None
    image: str
    launch: Launch


def _further_contexts(build: YamlNode | None) -> tuple[str, ...]:
    """The names of `additional_contexts`, given as a mapping or as a list of `NAME=PLACE`."""
    given = build.get("additional_contexts") if build is not None else None
    if given is None:
        return ()
    return tuple((given.mapping or {}).keys()) or tuple(each.text.partition("=")[0] for each in given.children())


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
    build = _build(node.get("build"), directory, values, text_of(node.get("platform")))
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
        contexts=_further_contexts(node.get("build")),
        published=_published(node.get("ports"), values),
        by_hand=node.get("profiles") is not None
        or any(text_of(node.get(key)) == "true" for key in ("stdin_open", "tty")),
        mounts=tuple(_mounts(tree, node, directory, values)),
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


def _build(node: YamlNode | None, directory: str, values: dict[str, str], platform: str) -> ComposeBuild | None:
    if node is None or node.null:
        return None
    context = interpolated(node.text or text_of(node.get("context")) or ".", values)
    file = interpolated(text_of(node.get("dockerfile")) or "Dockerfile", values)
    doubt = ""
    inline = text_of(node.get("dockerfile_inline"))
    if "$" in context + file:
        doubt = "its build context is given by a variable"
    elif re.match(r"[a-z]+://|git@|/|~", context) or posixpath.isabs(file):
        doubt = f"its build context {context} is not of this tree"
    place = posixpath.normpath(posixpath.join(directory, context))
    if place.startswith(".."):
        doubt = f"its build context {context} is above this tree"
    arguments: dict[str, str] = {}
    given = node.get("args")
    for name, value in ((as_mapping(given, "args") or {}) if given is not None else {}).items():
        text = values.get(name, f"${{{name}}}") if value.null else interpolated(value.text, values)
        arguments[name] = text
    platforms = node.get("platforms")
    wanted = [interpolated(each.text, values) for each in platforms.children()] if platforms is not None else []
    return ComposeBuild(
        context="" if place == "." else place,
        dockerfile=f"{node.file}#{node.line}" if inline else posixpath.normpath(posixpath.join(place, file)),
        target=interpolated(text_of(node.get("target")), values) or None,
        arguments=arguments,
        platform=interpolated(platform, values) or (wanted[0] if len(wanted) == 1 else None),
        line=node.line,
        doubt=doubt,
        inline=interpolated(inline, values),
    )


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


def _mounts(tree: Tree, node: YamlNode, directory: str, values: dict[str, str]) -> Iterator[Mount]:
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
