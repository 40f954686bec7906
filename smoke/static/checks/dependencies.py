"""`dependencies.*`: what is imported is installed, where Python looks, and for the processor that is built for."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.model.filesystem import Cause
from smoke.static.model.image import Image, Install
from smoke.static.python.distributions import brought, candidates, normalised, on_arm64
from smoke.static.python.graph import Importer, Outside, import_graph
from smoke.static.python.requirements import (
    Requirement,
    Trouble,
    parse_requirement,
    project_requirements,
    read_requirements,
)
from smoke.static.scope import Scope

DECLARED = Check(
    "dependencies.declared",
    Severity.CRITICAL,
    "every third-party import is installed in this image, where its user's Python looks",
    "Python ends with a ModuleNotFoundError as the service is loaded.",
    "Add the distribution to the requirement file that this image installs.",
)
ARM64 = Check(
    "dependencies.arm64",
    Severity.CRITICAL,
    "every requirement can be had for arm64",
    "The build has to compile it, without a compiler, or installs what does not load.",
    "Choose a version with an aarch64 or pure wheel, or another distribution.",
)
CHECKS = (DECLARED, ARM64)


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for image in scope.images:
        name = image.service.name
        if image.broken:
            for check in CHECKS:
                yield check.skip(f"the Dockerfile can't be followed: {image.broken}", name)
            continue
        importer = Importer(scope.tree, image)
        wanted = _Wanted(scope, image, importer)
        if image.start.module or image.start.script:
            yield from _declared(scope, image, importer, wanted)
        else:
            reason = image.start.doubt or image.start.trouble
            yield DECLARED.skip(f"what is started is not known: {reason}", name)
        yield from _arm64(image, wanted)


class _Wanted:
    """What an image's installations bring, and what can't be told of them."""

    def __init__(self, scope: Scope, image: Image, importer: Importer) -> None:
        self.requirements: list[Requirement] = []
        self.troubles: list[Trouble] = []
        self.doubts: list[str] = []
        self.by_install: list[tuple[Install, set[str]]] = []
        for install in image.installs:
            names = set()
            for requirement in self._of(scope, image, importer, install):
                self.requirements.append(requirement)
                names.add(requirement.name)
            self.by_install.append((install, names))
            if install.doubt:
                self.doubts.append(install.doubt)

    def _of(self, scope: Scope, image: Image, importer: Importer, install: Install) -> Iterator[Requirement]:
        for path in install.requirements:
            found, troubles = read_requirements(scope.tree, path, importer.version)
            self.troubles += troubles
            yield from found
        for text in install.distributions:
            if text.startswith((".", "/")) or "$" in text or "*" in text:
                directory, _, extras = text.partition("[")
                extra = tuple(normalised(each.strip()) for each in extras.rstrip("]").split(",") if each.strip())
                found_project = project_requirements(scope.tree, image.context or "", extra, importer.version)
                if directory.rstrip("/") not in (".", "") or found_project is None:
                    self.doubts.append(f"what {text!r} of line {install.line} brings is not known")
                else:
                    yield from found_project
                continue
            parsed = parse_requirement(text, image.dockerfile, install.line, importer.version)
            if isinstance(parsed, Requirement):
                yield parsed


def _declared(scope: Scope, image: Image, importer: Importer, wanted: _Wanted) -> Iterator[Finding]:
    name = image.service.name
    for trouble in wanted.troubles:
        severity = Severity.WARNING if "not looked into" in trouble.message else None
        yield DECLARED.fail(trouble.message, name, [Evidence(trouble.path, trouble.line)], severity=severity)
    declared = {requirement.name for requirement in wanted.requirements}
    hidden = {each for install, names in wanted.by_install if install.visible is False for each in names}
    hidden -= {each for install, names in wanted.by_install if install.visible is not False for each in names}
    failed = bool(wanted.troubles)
    seen: set[tuple[str, bool]] = set()
    graph = import_graph(importer)
    unseen = [
        each for each in graph.outside if not each.caught and {*candidates(each.name)} & (hidden | brought(hidden))
    ]
    if unseen:
        failed = True
        yield _unseen(scope, image, wanted, unseen)
    seen |= {(each.name, lazy) for each in unseen for lazy in (False, True)}
    for outside in sorted(graph.outside, key=lambda each: (each.lazy, each.source, each.line)):
        if outside.caught or (outside.name, False) in seen or (outside.name, outside.lazy) in seen:
            continue
        seen.add((outside.name, outside.lazy))
        finding = _one(scope, image, wanted, outside, declared - hidden)
        if finding is not None:
            failed = True
            yield finding
    if failed:
        return
    if graph.entry is None:
        yield DECLARED.skip("what is started is not a file of the tree", name)
    elif graph.doubts:
        yield DECLARED.skip(f"not every import could be followed: {graph.doubts[0].message}", name)
    else:
        yield DECLARED.passed(f"{len({each.name for each in graph.outside})} third-party imports are installed", name)


def _unseen(scope: Scope, image: Image, wanted: _Wanted, imports: list[Outside]) -> Finding:
    """What is installed, but not where Python looks: one finding for all imports."""
    install = next(each for each, names in wanted.by_install if each.visible is False and names)
    names = ", ".join(sorted({each.name for each in imports}))
    where = [Evidence(image.dockerfile, install.line), *(Evidence(each.source, each.line) for each in imports[:5])]
    message = f"{names} is installed to {install.directory}, where the Python of user {image.user} does not look"
    remedy = "Install with --target to a directory that PYTHONPATH names, or copy it to the image's own site directory."
    return DECLARED.fail(message, image.service.name, where, remedy=remedy)


def _one(scope: Scope, image: Image, wanted: _Wanted, outside: Outside, visible: set[str]) -> Finding | None:
    name = image.service.name
    lines = scope.tree.text(outside.source).split("\n")
    at = [
        Evidence(outside.source, outside.line, excerpt(lines[outside.line - 1] if outside.line <= len(lines) else ""))
    ]
    severity = Severity.WARNING if outside.lazy else None
    able = candidates(outside.name)
    if visible & {*able} or (outside.name.startswith("google") and any(each.startswith("google") for each in visible)):
        return None
    if brought(visible) & {*able}:
        bringer = next(each for each in sorted(visible) if brought({each}) & {*able})
        message = f"{outside.name} comes with {bringer} only, and is not asked for by name"
        return DECLARED.fail(
            message, name, at, severity=Severity.INFO, why="It goes away when the other no longer needs it."
        )
    doubt = next(iter(wanted.doubts), "") or next(
        (image.files.doubt(f"{each}/x") for each in image.start.search if not _of_pip(image, each)), ""
    )
    if doubt:
        return DECLARED.skip(f"whether {outside.name} is installed: {doubt}", name, at)
    if image.base is None:
        return DECLARED.skip(f"whether the base {image.base_reference} has {outside.name} is not known", name, at)
    return DECLARED.fail(
        f"{outside.name} is imported, and nothing that this image installs brings it", name, at, severity=severity
    )


def _of_pip(image: Image, directory: str) -> bool:
    """Whether what may be in a directory is only what pip installed there, or what the base's packages have."""
    reason = image.files.doubt(f"{directory}/x")
    return not reason or reason.cause in (Cause.DISTRIBUTIONS, Cause.BASE)


def _arm64(image: Image, wanted: _Wanted) -> Iterator[Finding]:
    name = image.service.name
    demanded = "arm64" in image.built_for or "aarch64" in image.built_for
    if image.built_for and not demanded:
        yield ARM64.passed(f"it is built for {image.built_for}", name)
        return
    names = {requirement.name: requirement for requirement in wanted.requirements}
    lacking = [each for each in sorted(names) if on_arm64(each) is False]
    for each in lacking:
        requirement = names[each]
        at = [Evidence(requirement.path, requirement.line, excerpt(requirement.text))]
        severity = Severity.CRITICAL if demanded else Severity.INFO
        yield ARM64.fail(f"{each} has no wheel for aarch64", name, at, severity=severity)
    if not demanded:
        return
    unknown = [each for each in sorted(names) if on_arm64(each) is None]
    if unknown:
        shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        yield ARM64.skip(f"whether these have wheels for aarch64 needs an index: {shown}", name)
    elif wanted.doubts:
        yield ARM64.skip(wanted.doubts[0], name)
    elif not lacking:
        yield ARM64.passed(f"{len(names)} requirements are pure or have aarch64 wheels", name)
