"""Compose projects: the files that belong together, and their services as Compose puts them together."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from smoke.static.compose.document import Node, YamlError, read_yaml
from smoke.static.compose.refusals import refused
from smoke.static.model.launch import Launch, Mount, MountKind
from smoke.static.trouble import Trouble
from smoke.tree import Tree

MAX_PROJECTS = 100
MAX_SERVICES = 500
MAX_INCLUDES = 20
_FILE = re.compile(r"(?P<stem>(?:docker-)?compose)(?P<infix>[.\w-]*)\.ya?ml")
_BASES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_VARIABLE = re.compile(r"\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})")
_REPLACED = frozenset({"command", "entrypoint", "test"})
"""Lists that a later file replaces; others it adds to."""


@dataclass(frozen=True)
class Build:
    """What a service's image is built from."""

    context: str
    """Directory of the tree; empty for its root."""
    dockerfile: str
    target: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    platform: str | None = None
    line: int = 0
    doubt: str = ""
    """Why it can't be followed: a variable in a path, a repository elsewhere."""


@dataclass(frozen=True)
class ComposeService:
    """One service, all its files put together."""

    name: str
    file: str
    node: Node
    build: Build | None
    image: str
    launch: Launch


@dataclass
class Project:
    """Files that Compose reads as one."""

    files: tuple[str, ...]
    directory: str
    root: Node
    services: dict[str, ComposeService] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)


def projects(tree: Tree, named: tuple[str, ...] = ()) -> list[Project]:
    """The projects of a tree: those of the files named (each alone), or all that are found."""
    if named:
        return [_project(tree, (path,)) for path in named]
    found: dict[str, list[str]] = {}
    for path in tree.files():
        if _FILE.fullmatch(posixpath.basename(path)):
            found.setdefault(posixpath.dirname(path), []).append(path)
    made: list[Project] = []
    for paths in found.values():
        made += _of_directory(tree, paths)
        if len(made) >= MAX_PROJECTS:
            break
    return made[:MAX_PROJECTS]


def _of_directory(tree: Tree, paths: list[str]) -> Iterator[Project]:
    by_name = {posixpath.basename(path): path for path in paths}
    base = next((by_name.pop(name) for name in _BASES if name in by_name), None)
    override = re.compile(r"(?:docker-)?compose\.override\.ya?ml")
    overrides = tuple(by_name.pop(name) for name in sorted(by_name) if override.fullmatch(name))
    if base is not None:
        yield _project(tree, (base, *overrides))
    for _, path in sorted(by_name.items()):
        alone = _project(tree, (path,))
        if base is not None and (alone.troubles or not _whole(alone)):
            yield _project(tree, (base, path))
        else:
            yield alone


def _whole(project: Project) -> bool:
    """Whether a file makes sense without others."""
    if not project.services:
        return False
    for service in project.services.values():
        if service.build is None and not service.image:
            return False
        needs = service.node.get("depends_on")
        if needs is not None and any(name not in project.services for name in names_in(needs)):
            return False
        for what in ("networks", "volumes"):
            declared = project.root.get(what)
            known = (declared.mapping or {}) if declared is not None else {}
            if any(name not in known for name, _ in used(service.node, what)):
                return False
    return True


def names_in(node: Node) -> dict[str, Node]:
    """Names in a list, or the keys of a mapping."""
    return node.mapping if node.mapping is not None else {item.text: item for item in node.children()}


def used(service: Node, what: str) -> Iterator[tuple[str, Node]]:
    """The networks or named volumes that a service uses."""
    node = service.get(what)
    if node is None:
        return
    if what == "networks":
        yield from ((name, item) for name, item in names_in(node).items() if name != "default" and "$" not in name)
        return
    for item in node.children():
        source = _text(item.get("source")) if item.mapping is not None else item.text.partition(":")[0]
        kind = _text(item.get("type")) or "volume"
        whole = item.mapping is not None or ":" in item.text
        if kind == "volume" and whole and re.fullmatch(r"[A-Za-z0-9][\w.-]*", source):
            yield source, item


# -- reading and putting together --------------------------------------------------------------------------------------


def _project(tree: Tree, files: tuple[str, ...]) -> Project:
    directory = posixpath.dirname(files[0])
    project = Project(files, directory, Node(1, mapping={}, file=files[0]))
    values = dot_env(tree, directory)
    for path in files:
        root = _read(tree, path, project)
        if root is not None:
            included = _included(tree, root, path, project, 0)
            project.root = _merged(project.root, _merged(included, root))
    listed = project.root.get("services")
    for name, node in list((listed.mapping or {}).items() if listed is not None else [])[:MAX_SERVICES]:
        if node.mapping is None:
            project.troubles.append(Trouble(node.file, node.line, f"{name} is no mapping"))
            continue
        whole = _extended(tree, node, project, 0)
        project.services[name] = _service(tree, name, whole, directory, values)
    nodes = {name: service.node for name, service in project.services.items()}
    for node, message in refused(tree, project.root, nodes, directory):
        project.troubles.append(Trouble(node.file or files[0], node.line, message))
    return project


def _read(tree: Tree, path: str, project: Project) -> Node | None:
    if not tree.is_file(path):
        project.troubles.append(Trouble(path, 0, f"there is no {path}"))
        return None
    try:
        root = read_yaml(tree.text(path), path)
    except YamlError as error:
        message = f"{path} can't be read: {error}"
        template = re.search(r"\{\{|\{%|<%", tree.text(path)) is not None
        project.troubles.append(Trouble(path, error.line, message, doubtful=not error.syntax or template))
        return None
    for name, line in _repeated(root):
        project.troubles.append(Trouble(path, line, f"the key {name} is there twice"))
    return root


def _repeated(root: Node) -> Iterator[tuple[str, int]]:
    """Keys given twice, down to where Compose files have keys."""
    pending, seen = [(root, 0)], set[int]()
    while pending:
        node, depth = pending.pop()
        if id(node) in seen or depth > 6:
            continue
        seen.add(id(node))
        yield from node.repeated
        pending += [(each, depth + 1) for each in (node.mapping or {}).values()]


def _included(tree: Tree, root: Node, path: str, project: Project, depth: int) -> Node:
    """What `include` brings, its paths made relative to the project."""
    made = Node(root.line, mapping={}, file=path)
    node = root.get("include")
    for item in node.children() if node is not None else ():
        given = item.get("path") if item.mapping is not None else item
        for each in (given.children() or [given]) if given is not None else []:
            if "$" in each.text or "://" in each.text or depth >= MAX_INCLUDES:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), each.text))
            if not tree.is_file(target):
                project.troubles.append(Trouble(path, item.line, f"it includes {each.text}, which is not there"))
                continue
            other = _read(tree, target, project)
            if other is not None and other.mapping is not None:
                inner = _included(tree, other, target, project, depth + 1)
                made = _merged(made, _merged(inner, other))
    return made


def _extended(tree: Tree, node: Node, project: Project, depth: int) -> Node:
    """A service with what it `extends` below it."""
    extends = node.get("extends")
    if extends is None or depth > MAX_INCLUDES:
        return node
    name = extends.text or _text(extends.get("service"))
    file = _text(extends.get("file"))
    root: Node | None = project.root
    if file:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(node.file), file))
        root = _read(tree, path, project) if "$" not in file else None
    other = root.get("services", name) if root is not None else None
    if other is None or other.mapping is None:
        if root is not None:
            message = f"it extends {name}, which is no service{' of ' + file if file else ''}"
            project.troubles.append(Trouble(node.file, extends.line, message))
        return node
    inner = _extended(tree, other, project, depth + 1)
    kept = {key: value for key, value in (inner.mapping or {}).items() if key not in ("depends_on", "extends")}
    return _merged(replace(inner, mapping=kept), node)


def _merged(base: Node, over: Node, key: str = "") -> Node:
    """Two nodes as Compose merges them: the later one goes before, lists are joined, but for commands."""
    if over.tag == "!reset":
        return Node(over.line, null=True, file=over.file)
    if over.tag == "!override" or key in _REPLACED:
        return over
    left, right = (_as_mapping(base, key), _as_mapping(over, key))
    if left is not None and right is not None:
        made = dict(left)
        for name, value in right.items():
            made[name] = _merged(made[name], value, name) if name in made else value
        made = {name: value for name, value in made.items() if value.tag != "!reset"}
        return Node(over.line, mapping=made, file=over.file)
    if base.items is not None and over.items is not None:
        return Node(over.line, items=[*base.items, *over.items], file=over.file)
    return base if over.null and not base.null and key != "services" else over


def _as_mapping(node: Node, key: str) -> dict[str, Node] | None:
    """A mapping, or a list that Compose reads as one where both are met."""
    if node.mapping is not None or node.items is None:
        return node.mapping
    if key in ("environment", "args", "labels"):
        pairs = ((item.text.partition("="), item) for item in node.items)
        return {name: Node(item.line, text, file=item.file, null=not mark) for (name, mark, text), item in pairs}
    if key in ("depends_on", "networks"):
        return {item.text: Node(item.line, null=True, file=item.file) for item in node.items}
    return None


# -- what a service is given ------------------------------------------------------------------------------------------


def dot_env(tree: Tree, directory: str) -> dict[str, str]:
    """The variables of the `.env` beside a Compose file."""
    return _env_values(tree.text(posixpath.join(directory, ".env")))


def _env_values(text: str) -> dict[str, str]:
    values = {}
    for line in text.splitlines()[:5_000]:
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*?)\s*$", line)
        if match and not line.lstrip().startswith("#"):
            value = match[2]
            quoted = re.match(r"(['\"])(.*?)\1", value)
            values[match[1]] = quoted[2] if quoted else re.sub(r"\s+#.*", "", value)
    return values


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables; one that nothing here gives stays as `${NAME}`."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        held = values.get(name)
        there = bool(held) if operator.startswith(":") else held is not None
        if operator.endswith("-") and not there:
            return interpolated(word, values) if "$" in word else word
        if operator.endswith("+"):
            return word if there else ""
        return held if held is not None else f"${{{name}}}"

    return _VARIABLE.sub(value, text) if "$" in text else text


def _text(node: Node | None) -> str:
    return "" if node is None else node.text


def _service(tree: Tree, name: str, node: Node, directory: str, values: dict[str, str]) -> ComposeService:
    file = node.file
    build = _build(node.get("build"), directory, values, _text(node.get("platform")))
    image = interpolated(_text(node.get("image")), values)
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
        read_only=_text(node.get("read_only")) == "true",
        mounts=tuple(_mounts(tree, node, directory, values)),
    )
    return ComposeService(name, file, node, build, image, launch)


def _words(node: Node | None, values: dict[str, str]) -> tuple[str, ...] | None:
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


def _build(node: Node | None, directory: str, values: dict[str, str], platform: str) -> Build | None:
    if node is None or node.null:
        return None
    context = interpolated(node.text or _text(node.get("context")) or ".", values)
    file = interpolated(_text(node.get("dockerfile")) or "Dockerfile", values)
    doubt = ""
    if node.get("dockerfile_inline") is not None:
        doubt = "its Dockerfile is written in the Compose file"
    elif "$" in context + file:
        doubt = "its build context is given by a variable"
    elif re.match(r"[a-z]+://|git@|/|~", context) or posixpath.isabs(file):
        doubt = f"its build context {context} is not of this tree"
    place = posixpath.normpath(posixpath.join(directory, context))
    if place.startswith(".."):
        doubt = f"its build context {context} is above this tree"
    arguments: dict[str, str] = {}
    given = node.get("args")
    for name, value in ((_as_mapping(given, "args") or {}) if given is not None else {}).items():
        text = values.get(name, f"${{{name}}}") if value.null else interpolated(value.text, values)
        arguments[name] = text
    platforms = node.get("platforms")
    wanted = [interpolated(each.text, values) for each in platforms.children()] if platforms is not None else []
    return Build(
        "" if place == "." else place,
        posixpath.normpath(posixpath.join(place, file)),
        interpolated(_text(node.get("target")), values) or None,
        arguments,
        interpolated(platform, values) or (wanted[0] if len(wanted) == 1 else None),
        node.line,
        doubt,
    )


def env_files(node: Node) -> Iterator[tuple[Node, bool]]:
    """The env_file entries of a service, and whether each must be there."""
    given = node.get("env_file")
    if given is None or given.null:
        return
    for item in given.items if given.items is not None else [given]:
        if item.mapping is None:
            yield item, True
        elif (path := item.get("path")) is not None:
            yield path, _text(item.get("required")) != "false"


def _environment(tree: Tree, node: Node, directory: str, values: dict[str, str]) -> tuple[dict[str, str], str]:
    """Variables that a service is given, and why there may be more."""
    found: dict[str, str] = {}
    doubt = ""
    for item, _ in env_files(node):
        path = posixpath.normpath(posixpath.join(directory, interpolated(item.text, values)))
        if tree.is_file(path):
            found |= _env_values(tree.text(path))
        else:
            doubt = f"{item.text} is not in the tree"
    given = node.get("environment")
    for name, value in ((_as_mapping(given, "environment") or {}) if given is not None else {}).items():
        found[name] = values.get(name, f"${{{name}}}") if value.null else interpolated(value.text, values)
    return found, doubt


def _mounts(tree: Tree, node: Node, directory: str, values: dict[str, str]) -> Iterator[Mount]:
    volumes = node.get("volumes")
    for item in volumes.children() if volumes is not None else ():
        if item.mapping is not None:
            kind, source = _text(item.get("type")) or "volume", interpolated(_text(item.get("source")), values)
            target = interpolated(_text(item.get("target")), values)
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
                target = _text(item.get("target")) or (
                    f"/run/secrets/{item.text}" if what == "secrets" else f"/{item.text}"
                )
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
