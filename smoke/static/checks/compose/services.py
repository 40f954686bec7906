"""`compose.services`: the Compose files can be read, and each service has something to run."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.compose.elsewhere import owner_elsewhere
from smoke.static.checks.compose.rules import SERVICES
from smoke.static.checks.compose.running import RunningService
from smoke.static.compose.image_name import without_tag
from smoke.static.compose.project import ComposeProject
from smoke.static.compose.service import ComposeService
from smoke.static.generated import made_beforehand
from smoke.static.model.image import Image
from smoke.static.scope import Scope


def judge_project(scope: Scope, project: ComposeProject, services: list[RunningService]) -> Iterator[Finding]:
    shown = " and ".join(project.files)
    if project.part_of:
        reason = f"{shown} makes sense with {project.part_of} only, or another file like it"
        yield SERVICES.skip(reason, "", [Evidence(project.files[0])])
        return
    for trouble in project.troubles:
        at = [Evidence(trouble.path, trouble.line)]
        yield SERVICES.skip(trouble.message, "", at) if trouble.doubtful else SERVICES.fail(trouble.message, "", at)
    listed = project.root.get("services")
    if not project.services:
        if not project.troubles and project.root.get("include") is None:
            yield SERVICES.fail(f"{shown} has no services", "", [Evidence(project.files[0])])
        return
    broken = bool(project.troubles)
    built = {each.name: image for each in project.services.values() if (image := _image_of(scope, each)) is not None}
    for service in project.services.values():
        services.append(RunningService(service, project, built.get(service.name), built))
        for finding in _unbuildable(scope, service):
            broken = True
            yield finding
    if not broken:
        at = [Evidence(project.files[0], listed.line if listed is not None else 0)]
        yield SERVICES.passed(f"{shown} has {', '.join(project.services)}", "", at)


def _unbuildable(scope: Scope, service: ComposeService) -> Iterator[Finding]:
    """A service without anything to run, or whose build has no directory or Dockerfile."""
    build = service.build
    if build is None:
        if not service.image and service.node.get("extends") is None and service.node.get("provider") is None:
            at = [Evidence(service.file, service.node.line)]
            if other := owner_elsewhere(scope, service.name, service):
                reason = f"it has neither an image nor a build context, and may belong to {other}"
                yield SERVICES.skip(reason, service.name, at)
                return
            yield SERVICES.fail("it has neither an image nor a build context", service.name, at)
        return
    at = [Evidence(service.file, build.line, excerpt(build.context or "."))]
    if build.doubt:
        return
    lacking = not scope.tree.is_file(build.dockerfile)
    if lacking and (module := made_beforehand(scope.tree, build.dockerfile)) == ".gitmodules":
        yield SERVICES.skip(f"{build.dockerfile} is of a submodule ({module}), which is not here", service.name, at)
        return
    if build.context and not scope.tree.is_directory(build.context):
        yield SERVICES.fail(f"its build context {build.context} is not there", service.name, at)
    elif lacking and build.dockerfile not in {each.dockerfile for each in scope.images}:
        yield SERVICES.fail(f"it is built from {build.dockerfile}, which is not there", service.name, at)


def _image_of(scope: Scope, service: ComposeService) -> Image | None:
    """The image of the tree that a service runs: by its launch, its Dockerfile, its image's name, or its own name."""
    for image in scope.images:
        if image.launch is not None and (image.launch.name, image.launch.file) == (service.name, service.file):
            return image
    if service.build is not None:
        same = [image for image in scope.images if posixpath.normpath(image.dockerfile) == service.build.dockerfile]
        exact = [image for image in same if image.service.target == service.build.target]
        if exact or same:
            return (exact or same)[0]
    for image in scope.images:
        if image.service.image is not None and without_tag(image.service.image) == without_tag(service.image):
            return image
    named = (image for image in scope.images if image.service.name == service.name)
    return next(named, None) if service.build is not None or not service.image else None
