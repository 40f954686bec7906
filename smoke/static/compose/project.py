"""Compose projects: the files that belong together, put together."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from smoke.static.compose.document import YamlError, YamlNode, as_mapping, read_yaml, text_of
from smoke.static.compose.envfile import dot_env
from smoke.static.compose.parts import completed_by
from smoke.static.compose.refusals import refused
from smoke.static.compose.service import ComposeService, service_of
from smoke.static.generated import made_beforehand
from smoke.static.regex import regex
from smoke.static.trouble import Trouble
from smoke.tree import Tree

MAX_PROJECTS = 100


MAX_SERVICES = 500


MAX_INCLUDES = 20


_FILE = regex(r"(?P<stem>(?:docker-)?compose)(?P<infix>[.\w-]*)\.ya?ml")


_EXAMPLE = regex(r"(?:docker-)?compose\.override[\w.-]*\.(?:example|sample|dist|template)[\w.-]*")
_BASES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


_REPLACED = frozenset({"command", "entrypoint", "test"})
"""Lists that a later file replaces; others it adds to."""
_NAMED = frozenset({"services", "networks", "volumes", "secrets", "configs"})
"""Keys below which names are the project's own."""


class ComposeProject(Struct):
    """Files that Compose reads as one."""

    files: tuple[str, ...]
    directory: str
    root: YamlNode
    services: dict[str, ComposeService] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    incomplete: bool = False
    """Whether it includes a file that is not there."""
    part_of: str = ""
    """Another file, without which these make no sense."""


def projects(tree: Tree, named: tuple[str, ...] = ()) -> list[ComposeProject]:
    """The projects of a tree: those of the files named (each alone), or all that are found."""
    if named:
        return [_project(tree, (path,)) for path in named]
    found: dict[str, list[str]] = {}
    for path in tree.files():
        if _FILE.fullmatch(posixpath.basename(path)) and "{{" not in path:
            found.setdefault(posixpath.dirname(path), []).append(path)
    made: list[ComposeProject] = []
    for paths in found.values():
        made += _of_directory(tree, paths)
        if len(made) >= MAX_PROJECTS:
            break
    extended = _extended_files(made)
    made = [each for each in made if not _is_for_others(each, extended)]
    for project in made[:MAX_PROJECTS]:
        if not project.incomplete:
            project.part_of = completed_by(tree, project.files[0], *_lacking(tree, project))
    return made[:MAX_PROJECTS]


def _extended_files(found: list[ComposeProject]) -> dict[str, set[str]]:
    """Files whose services others extend, with these: who starts the others never starts them as they are."""
    extended: dict[str, set[str]] = {}
    for service in (each for project in found for each in project.services.values()):
        extends = service.node.get("extends")
        file = text_of(extends.get("file")) if extends is not None else ""
        if extends is not None and file and "$" not in file:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(service.file), file))
            extended.setdefault(path, set()).add(text_of(extends.get("service")))
    return extended


def _is_for_others(project: ComposeProject, extended: dict[str, set[str]]) -> bool:
    """Whether all services of a file are there to be extended by other files."""
    known = extended.get(project.files[0], set())
    return len(project.files) == 1 and bool(project.services) and project.services.keys() <= known


def _lacking(tree: Tree, project: ComposeProject) -> tuple[set[str], list[tuple[str, str]]]:
    """Services that others depend on, and builds (context and Dockerfile, as written), that are not there; of a file
    that is made to go with others, volumes and networks that it does not declare, too."""
    names: set[str] = set()
    builds: list[tuple[str, str]] = []
    for service in project.services.values():
        needs = service.node.get("depends_on")
        names |= {*(names_in(needs) if needs is not None else ())} - project.services.keys()
        if posixpath.basename(project.files[0]) not in _BASES:
            names |= {
                name for what in ("networks", "volumes") for name in _undeclared(project.root, service.node, what)
            }
        build, node = service.build, service.node.get("build")
        if build is None or node is None or build.doubt or build.inline or tree.is_file(build.dockerfile):
            continue
        context = node.text or text_of(node.get("context")) or "."
        builds.append((context, text_of(node.get("dockerfile")) or "Dockerfile"))
    return names, builds


def _undeclared(root: YamlNode, service: YamlNode, what: str) -> set[str]:
    """Networks or volumes that a service uses and the file does not declare."""
    declared = root.get(what)
    known = (declared.mapping or {}) if declared is not None else {}
    return {name for name, _ in used(service, what)} - known.keys()


def _of_directory(tree: Tree, paths: list[str]) -> Iterator[ComposeProject]:
    by_name = {posixpath.basename(path): path for path in paths}
    base = next((by_name.pop(name) for name in _BASES if name in by_name), None)
    override = re.compile(r"(?:docker-)?compose\.override\.ya?ml")
    overrides = tuple(by_name.pop(name) for name in sorted(by_name) if override.fullmatch(name))
    told = list(_told(tree, posixpath.dirname(paths[0])))
    if told:
        by_name = {name: path for name, path in by_name.items() if path not in told}
        yield _project(tree, tuple(told))
    elif base is not None:
        yield _project(tree, (base, *overrides))
    for _, path in sorted(by_name.items()):
        alone = _project(tree, (path,))
        if base is not None and (alone.troubles or not _whole(alone)):
            yield _project(tree, (base, path))
        else:
            yield alone


def _told(tree: Tree, directory: str) -> Iterator[str]:
    """The files that COMPOSE_FILE of a `.env` names; nothing where any of them is not of the tree, or is made first."""
    values = dot_env(tree, directory)
    names = values.get("COMPOSE_FILE", "").split(values.get("COMPOSE_PATH_SEPARATOR") or ":")
    paths = [posixpath.normpath(posixpath.join(directory, name)) for name in names if name]
    open_ = any(path.startswith(("..", "/")) or "$" in path or made_beforehand(tree, path) for path in paths)
    yield from [] if open_ or not any(map(tree.is_file, paths)) else paths


def _whole(project: ComposeProject) -> bool:
    """Whether a file makes sense without others."""
    if not project.services:
        return False
    for service in project.services.values():
        if service.build is None and not service.image:
            return False
        needs = service.node.get("depends_on")
        if needs is not None and any(name not in project.services for name in names_in(needs)):
            return False
        if any(_undeclared(project.root, service.node, what) for what in ("networks", "volumes")):
            return False
    return True


def names_in(node: YamlNode) -> dict[str, YamlNode]:
    """Names in a list, or the keys of a mapping."""
    return node.mapping if node.mapping is not None else {item.text: item for item in node.children()}


def used(service: YamlNode, what: str) -> Iterator[tuple[str, YamlNode]]:
    """The networks or named volumes that a service uses."""
    node = service.get(what)
    if node is None:
        return
    if what == "networks":
        yield from ((name, item) for name, item in names_in(node).items() if name != "default" and "$" not in name)
        return
    for item in node.children():
        source = text_of(item.get("source")) if item.mapping is not None else item.text.partition(":")[0]
        kind = text_of(item.get("type")) or "volume"
        whole = item.mapping is not None or ":" in item.text
        if kind == "volume" and whole and re.fullmatch(r"[A-Za-z0-9][\w.-]*", source):
            yield source, item


def _project(tree: Tree, files: tuple[str, ...]) -> ComposeProject:
    directory = posixpath.dirname(files[0])
    project = ComposeProject(files, directory, YamlNode(1, mapping={}, file=files[0]))
    values = dot_env(tree, directory)
    for path in files:
        root = _read(tree, path, project)
        if root is not None:
            included = _included(tree, root, path, project, 0)
            project.root = _merged(project.root, _merged(included, root))
    listed = project.root.get("services")
    for name, node in list((listed.mapping or {}).items() if listed is not None else [])[:MAX_SERVICES]:
        if node.tag == "!reset" or (node.mapping is None and "!reset" in tree.text(node.file or files[0])):
            continue  # a service that an overlay takes away
        if node.mapping is None:
            project.troubles.append(Trouble(node.file, node.line, f"{name} is not a mapping"))
            continue
        whole = _extended(tree, node, project, 0)
        project.services[name] = service_of(tree, name, whole, directory, values)
    nodes = {name: service.node for name, service in project.services.items()}
    # Whoever runs it makes an overlay of the example first, in which the rest is declared.
    open_ = any(_EXAMPLE.fullmatch(name) for name in tree.directories.get(directory, ()))
    for node, message in refused(tree, project.root, nodes, directory):
        project.troubles.append(Trouble(node.file or files[0], node.line, message, doubtful=open_))
    return project


def _read(tree: Tree, path: str, project: ComposeProject) -> YamlNode | None:
    if not tree.is_file(path):
        project.troubles.append(Trouble(path, 0, f"there is no {path}"))
        return None
    try:
        root = read_yaml(tree.text(path), path)
    except YamlError as error:
        message = f"{path} cannot be read: {error}"
        template = re.search(r"\{\{|\{%|<%", tree.text(path)) is not None
        project.troubles.append(Trouble(path, error.line, message, doubtful=not error.syntax or template))
        return None
    for name, line in _repeated(root):
        project.troubles.append(Trouble(path, line, f"the key {name} is there twice"))
    return root


def _repeated(root: YamlNode) -> Iterator[tuple[str, int]]:
    """Keys given twice, down to where Compose files have keys."""
    pending, seen = [(root, 0)], set[int]()
    while pending:
        node, depth = pending.pop()
        if id(node) in seen or depth > 6:
            continue
        seen.add(id(node))
        yield from node.repeated
        pending += [(each, depth + 1) for each in (node.mapping or {}).values()]


def _included(tree: Tree, root: YamlNode, path: str, project: ComposeProject, depth: int) -> YamlNode:
    """What `include` brings, its paths made relative to the project."""
    made = YamlNode(root.line, mapping={}, file=path)
    node = root.get("include")
    for item in node.children() if node is not None else ():
        given = item.get("path") if item.mapping is not None else item
        for each in (given.children() or [given]) if given is not None else []:
            if "$" in each.text or "://" in each.text or depth >= MAX_INCLUDES:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), each.text))
            if not tree.is_file(target):
                project.incomplete = True
                project.troubles.append(Trouble(path, item.line, f"it includes {each.text}, which is not there"))
                continue
            other = _read(tree, target, project)
            if other is not None and other.mapping is not None:
                inner = _included(tree, other, target, project, depth + 1)
                made = _merged(made, _merged(inner, other))
    return made


def _extended(tree: Tree, node: YamlNode, project: ComposeProject, depth: int) -> YamlNode:
    """A service with what it `extends` below it."""
    extends = node.get("extends")
    if extends is None or depth > MAX_INCLUDES:
        return node
    name = extends.text or text_of(extends.get("service"))
    file = text_of(extends.get("file"))
    root: YamlNode | None = project.root
    if file:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(node.file), file))
        root = _read(tree, path, project) if "$" not in file else None
    other = root.get("services", name) if root is not None else None
    if other is None or other.mapping is None:
        if root is not None:
            message = f"it extends {name}, which is not a service{' of ' + file if file else ''}"
            project.troubles.append(Trouble(node.file, extends.line, message))
        return node
    inner = _extended(tree, other, project, depth + 1)
    kept = {key: value for key, value in (inner.mapping or {}).items() if key not in ("depends_on", "extends")}
    return _merged(replace(inner, mapping=kept), node)


def _merged(base: YamlNode, over: YamlNode, key: str = "") -> YamlNode:
    """Two nodes as Compose merges them: the later one goes before, lists are joined, but for commands."""
    if over.tag == "!reset":
        return YamlNode(over.line, null=True, file=over.file)
    if over.tag == "!override" or key in _REPLACED:
        return over
    left, right = (as_mapping(base, key), as_mapping(over, key))
    if left is not None and right is not None:
        made = dict(left)
        for name, value in right.items():
            # A service may be called `test`, or `command`.
            inner = "" if key in _NAMED else name
            made[name] = _merged(made[name], value, inner) if name in made else value
        made = {name: value for name, value in made.items() if value.tag != "!reset"}
        return YamlNode(over.line, mapping=made, file=over.file)
    if base.items is not None and over.items is not None:
        return YamlNode(over.line, items=[*base.items, *over.items], file=over.file)
    return base if over.null and not base.null and key != "services" else over
