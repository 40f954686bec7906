"""What a tree says is built and started: by Compose, bake, workflows, or just by having a Dockerfile."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from smoke.manifest import Manifest, Service, held_to
from smoke.static.model.launch import Launch
from smoke.static.regex import regex
from smoke.static.trouble import Trouble
from smoke.tree import Tree

if TYPE_CHECKING:
    from smoke.static.compose.builds import ComposeBuild
    from smoke.static.compose.project import ComposeProject
    from smoke.static.compose.service import ComposeService

MAX_PLANS = 200
_NAME = regex(
    r"(?:[Dd]ockerfile|[Cc]ontainerfile)(?:[.-](?P<suffix>[\w.-]+))?"
    r"|(?P<prefix>[\w.-]+)\.(?:[Dd]ockerfile|[Cc]ontainerfile)"
)
_NONE = regex(
    r".*\.(?:dockerignore|md|rst|txt|py|go|sh|ya?ml|json|lock|orig|bak|swp|hcl|toml|js|ts|css|html|map|svg|png)",
    re.IGNORECASE,
)
"""Names that only begin like a Dockerfile's."""
_TEMPLATE = regex(r".*\.(?:j2|jinja2?|tmpl|tpl|template|erb|mustache|in|gotmpl|ejs|hbs)", re.IGNORECASE)
_BRACES = regex(r"^\s*(?:\{%|\{\{|<%)|^\s*(?:FROM|ARG|COPY|RUN|ENV)\b[^\n]*\{\{\s*cookiecutter", re.MULTILINE)
_IN_FROM = regex(r"^\s*FROM\b[^\n]*(?:\{\{|<%|@[A-Z_]+@)", re.MULTILINE | re.IGNORECASE)


class Plan(Struct, frozen=True):
    """One image to be judged, and how it is started."""

    service: Service
    launch: Launch | None = None
    says: str = ""
    """The file that says so, besides the Dockerfile itself."""


class LeftOut(Struct, frozen=True):
    """A Dockerfile that is not judged, and why."""

    path: str
    reason: str


class Plans(Struct, frozen=True):
    """All that a tree says is built."""

    plans: tuple[Plan, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    projects: tuple[ComposeProject, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    """What is wrong with the files that say what is built."""


def plans_of(tree: Tree, manifest: Manifest) -> Plans:
    """The plans of a tree: the manifest's services, or all that is found."""
    found = _projects(tree, manifest)
    if manifest.services:
        plans = tuple(Plan(service, _launch(service, found)) for service in manifest.services)
        return Plans(plans, (), tuple(found))
    files, left_out = _dockerfiles(tree)
    plans_found = list(_composed(tree, found))
    done = {plan.service.dockerfile for plan in plans_found}
    sources, troubles = _builds(tree, files)
    for source in sources:
        more = [plan for plan in (_plan(tree, *each) for each in source) if plan.service.dockerfile not in done]
        plans_found += more
        done |= {plan.service.dockerfile for plan in more}
    plans_found += [Plan(Service(name=_name(tree, path), dockerfile=path)) for path in files if path not in done]
    plans_found = [plan for plan in plans_found if not any(plan.service.dockerfile == each.path for each in left_out)]
    return Plans(tuple(_distinct(plans_found, manifest)), tuple(left_out), tuple(found), troubles)


def _projects(tree: Tree, manifest: Manifest) -> list[ComposeProject]:
    """The Compose projects; what reads them takes its time to load, and small trees have none."""
    if not manifest.compose and not any("compose" in path for path in tree.files()):
        return []
    from smoke.static.compose.project import projects  # noqa: PLC0415 - see above

    return projects(tree, manifest.compose)


def _builds(tree: Tree, files: list[str]) -> tuple[list[Iterator[tuple[str, ComposeBuild, str]]], tuple[Trouble, ...]]:
    """What bake files and workflows say is built, where a tree has some, and what is wrong with them."""
    sources: list[Iterator[tuple[str, ComposeBuild, str]]] = []
    troubles: tuple[Trouble, ...] = ()
    if any("bake" in path for path in tree.files()):
        from smoke.static.bake import bake_targets, undefined_targets  # noqa: PLC0415 - few trees need it

        sources.append(bake_targets(tree))
        troubles = tuple(undefined_targets(tree))
    if files and tree.is_directory(".github/workflows"):
        from smoke.static.workflows import workflow_builds  # noqa: PLC0415 - small trees have none

        sources.append(workflow_builds(tree, files))
    return sources, troubles


def _distinct(plans: list[Plan], manifest: Manifest) -> Iterator[Plan]:
    """Each plan once, under a name of its own, held to the policy."""
    names: set[str] = set()
    for plan in plans[:MAX_PLANS]:
        name, number = plan.service.name, 2
        while name in names:
            name, number = f"{plan.service.name}-{number}", number + 1
        names.add(name)
        service = Service(
            name=name,
            dockerfile=plan.service.dockerfile,
            context=plan.service.context,
            target=plan.service.target,
            build_arguments=plan.service.build_arguments,
            platform=plan.service.platform,
        )
        yield replace(plan, service=held_to(service, manifest.policy))


def _dockerfiles(tree: Tree) -> tuple[list[str], list[LeftOut]]:
    files: list[str] = []
    left_out: list[LeftOut] = []
    for path in tree.files():
        name = posixpath.basename(path)
        if _NAME.fullmatch(name) is None or _NONE.fullmatch(name) is not None:
            continue
        if not (reason := _why_not(tree, path)):
            files.append(path)
        else:
            left_out.append(LeftOut(path, reason))
    return files[:MAX_PLANS], left_out[:MAX_PLANS]


def _why_not(tree: Tree, path: str) -> str:
    if ".devcontainer" in path.split("/") or posixpath.basename(path).startswith(".devcontainer"):
        return "it is for a devcontainer: an editor starts it, with features of its own"
    if "{{" in path or _TEMPLATE.fullmatch(path) is not None:
        return "it is a template"
    text = tree.text(path)
    if _BRACES.search(text) is not None or _IN_FROM.search(text) is not None:
        return "it is a template: it has marks that something replaces before it is built"
    return ""


def _name(tree: Tree, path: str) -> str:
    match = _NAME.fullmatch(posixpath.basename(path))
    suffix = (match["suffix"] or match["prefix"]) if match else ""
    wanted = suffix or posixpath.basename(posixpath.dirname(path)) or tree.root.name
    return plain_name(wanted)


def plain_name(wanted: str) -> str:
    """A service's name out of any text."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", wanted).lstrip("._-")[:90] or "service"


def _plan(tree: Tree, name: str, build: ComposeBuild, says: str) -> Plan:
    given = {key: value for key, value in build.arguments.items() if "$" not in value}
    service = Service(
        name=plain_name(name),
        dockerfile=build.dockerfile,
        context=build.context or ".",
        target=build.target,
        build_arguments=given,
        platform=build.platform if build.platform and "$" not in build.platform else None,
    )
    return Plan(service, None, says)


def _composed(tree: Tree, found: list[ComposeProject]) -> Iterator[Plan]:
    """A plan for each Compose service that is built from this tree; those that are started alike once."""
    seen: set[tuple[object, ...]] = set()
    for project in found:
        for service in project.services.values():
            if service.build is not None and service.build.inline:
                tree.written[service.build.dockerfile] = service.build.inline.encode()
            if service.build is None or service.build.doubt or not tree.is_file(service.build.dockerfile):
                continue
            launch = service.launch
            key = (
                repr(service.build),
                launch.name,
                repr((launch.command, launch.entrypoint, launch.user, launch.workdir)),
            )
            if key in seen:
                continue
            seen.add(key)
            plan = _plan(tree, service.name, service.build, service.file)
            yield replace(plan, launch=launch)


def _launch(service: Service, found: list[ComposeProject]) -> Launch | None:
    """How Compose starts a manifest's service, where one service of its name and Dockerfile is in the files."""
    same = [each for project in found for each in project.services.values() if _is_of(service, each)]
    return same[0].launch if len(same) == 1 else None


def _is_of(service: Service, other: ComposeService) -> bool:
    build = other.build
    return (
        other.name == service.name
        and build is not None
        and build.dockerfile == posixpath.normpath(service.dockerfile)
        and (service.target is None or service.target == build.target)
    )
