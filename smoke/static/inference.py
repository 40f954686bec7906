"""Writes a manifest for a tree that has none: what its Dockerfiles, Compose files and sources say and keep.

It never turns a failure into a demand: a key is written only where the tree then satisfies it, and what fails today
stands at the end, as comments."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from msgspec import Struct, field
from msgspec.json import encode

from smoke.finding import Finding
from smoke.findingkind import place
from smoke.judgment import Judgment
from smoke.manifest import Manifest, resolved
from smoke.manifestfile import FILE_NAME, ManifestError, parse_manifest
from smoke.static.model.build import images_of
from smoke.static.model.image import Image
from smoke.static.plans import plans_of
from smoke.static.treejudge import judge
from smoke.subject import Subject
from smoke.tree import Tree

MAX_ROUNDS = 4
_JUDGED_BY = {
    "user": ("dockerfile.user",),
    "port": ("entrypoint.app", "compose.ports", "dockerfile.health", "compose.health"),
    "health": ("dockerfile.health",),
    "module": ("entrypoint.exists",),
    "script": ("entrypoint.exists",),
    "labels": ("dockerfile.labels",),
    "directories": ("layout.directories",),
    "platform": ("dockerfile.platform",),
}
"""The checks that hold a service to each key."""


class _Written(Struct):
    """A service's block: what it is built from, and what is demanded of it."""

    name: str
    built: list[str]
    demands: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As it stands in the manifest."""
        return "\n".join(["[[service]]", *self.built, *(f"{key} = {value}" for key, value in self.demands.items())])


def write_manifest(root: Path) -> str:
    """The text of a manifest for the tree. Raises `ManifestError` when it has nothing to make containers of."""
    tree = Tree(root)
    manifest = resolved(Manifest())
    found = images_of(tree, manifest, plans_of(tree, manifest))
    if not found:
        raise ManifestError(f"{root}: there is no Dockerfile in it")
    services = [_service(tree, image) for image in found]
    before = _failing(judge(Subject(root, manifest, "")))
    for _ in range(MAX_ROUNDS):
        text = _text_of(tree, services)
        after = _failing(judge(Subject(root, resolved(parse_manifest(text.encode(), FILE_NAME)), FILE_NAME)))
        if not _dropped(services, before, after):
            break
    failing = "".join(f"#   {_told(each)}\n" for each in after.values())
    return text + (f"\n# What fails today, with or without this file:\n{failing}" if failing else "")


def _text_of(tree: Tree, services: list[_Written]) -> str:
    head = "# What `lucid smoke` holds this tree to. Written by `lucid smoke init`: look it over.\n"
    return "\n".join([head, f"title = {_text(tree.root.name)}\n", *(f"{each.text()}\n" for each in services)])


def _failing(judgment: Judgment) -> dict[tuple[str, str, str], Finding]:
    found = judgment.of("critical", "warning")
    return {(each.check, each.subject, each.message): each for each in found if each.check in _KEPT or _counts(each)}


_KEPT = frozenset(check for checks in _JUDGED_BY.values() for check in checks)


def _counts(finding: Finding) -> bool:
    return not finding.check.startswith("dockerfile.lint.")


def _dropped(
    services: list[_Written],
    before: dict[tuple[str, str, str], Finding],
    after: dict[tuple[str, str, str], Finding],
) -> bool:
    """Take back each demand that makes something fail which did not; says whether there was one."""
    took = False
    for check, subject, _ in after.keys() - before.keys():
        for service in services:
            keys = [key for key in service.demands if service.name == subject and check in _JUDGED_BY[key]]
            for key in keys:
                took = True
                del service.demands[key]
    return took


def _told(finding: Finding) -> str:
    about = f" [{finding.subject}]" if finding.subject else ""
    where = f" ({place(finding)})" if place(finding) else ""
    return " ".join(f"{finding.check}{about}: {finding.message}{where}".split())


def _service(tree: Tree, image: Image) -> _Written:
    service = image.service
    built = [f"name = {_text(service.name)}", f"dockerfile = {_text(image.dockerfile)}"]
    context = service.context if service.context is not None else image.context
    if context is not None:
        built.append(f"context = {_text(context or '.')}")
    if service.target:
        built.append(f"target = {_text(service.target)}")
    if service.build_arguments:
        pairs = ", ".join(f"{_text(name)} = {_text(value)}" for name, value in sorted(service.build_arguments.items()))
        built.append(f"build_arguments = {{ {pairs} }}")
    return _Written(service.name, built, _demands(tree, image))


def _demands(tree: Tree, image: Image) -> dict[str, str]:
    """What the image has, of what a manifest can ask for."""
    found: dict[str, str] = {}
    pinned = image.final.opening.flag("platform") if image.final is not None else None
    if image.service.platform:
        found["platform"] = _text(image.service.platform)
    elif pinned and "$" not in pinned:
        found["platform"] = _text(pinned)
    user = image.user
    if user and user.partition(":")[0] not in ("0", "root") and re.fullmatch(r"[a-z0-9_-]+(:[a-z0-9_-]+)?", user):
        found["user"] = _text(user)
    if len(image.ports) == 1:
        found["port"] = str(image.ports[0])
    asked = re.search(r"https?://[^\s'\"/]+(/[^\s'\"?)|]*)", " ".join(image.health.words)) if image.health else None
    if asked is not None:
        found["health"] = _text(asked[1])
    start = image.start
    entry = image.files.find(start.script) if start.script else None
    if start.module and not start.trouble:
        found["module"] = _text(start.module)
    elif entry is not None and entry.source:
        found["script"] = _text(entry.source)
    if directories := _directories(tree, image):
        found["directories"] = f"[{', '.join(map(_text, directories))}]"
    if labels := sorted(name for name, label in image.labels.items() if label.value.strip() and not label.unset):
        found["labels"] = f"[{', '.join(map(_text, labels))}]"
    return found


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
