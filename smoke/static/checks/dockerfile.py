"""`dockerfile.*`: the Dockerfile is read as a build would, and its outcome is what was asked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks import remedies
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import sources
from smoke.static.generated import made_beforehand
from smoke.static.model.build import platform_of_tag
from smoke.static.model.filesystem import Cause
from smoke.static.model.image import Health, Image, Lack
from smoke.static.model.script import certain_programs
from smoke.static.scope import Scope

PARSE = Check(
    "dockerfile.parse",
    Severity.CRITICAL,
    "the Dockerfile can be read",
    "The build stops before its first step.",
    "Mend the line; docker build says the same.",
)
STAGES = Check(
    "dockerfile.stages",
    Severity.CRITICAL,
    "several stages, the last distroless, every COPY --from from what exists",
    "A final stage with a shell and a package manager hands both to whoever gets in; a missing source stops the build.",
    "Build in one stage, and COPY --from it what runs into a distroless one.",
)
CONTEXT = Check(
    "dockerfile.context",
    Severity.CRITICAL,
    "every COPY and ADD finds its source in the build context",
    "The build stops at this step.",
    "Correct the path, the build context or .dockerignore.",
)
PLATFORM = Check(
    "dockerfile.platform",
    Severity.CRITICAL,
    "the platform that is asked for is what gets built",
    "An image for another processor does not start on the machine: exec format error.",
    "Pin the final stage's platform, or set it in the bake file, compose file or build command.",
)
USER = Check(
    "dockerfile.user",
    Severity.CRITICAL,
    "the container runs as the user asked for, who can reach its files",
    "Root in the container is one kernel bug away from root on the machine; an unreachable file stops the start.",
    "Set USER by number, and COPY --chown what the service must read.",
)
HEALTH = Check(
    "dockerfile.health",
    Severity.CRITICAL,
    "a health check that can run, for the service's own port and path",
    "The container is reported unhealthy forever, and what waits for it never starts.",
    "Write HEALTHCHECK CMD with a program that is in the image.",
)
LABELS = Check(
    "dockerfile.labels",
    Severity.WARNING,
    "every label asked for is there and not empty",
    "Nobody can tell which source an image on the machine was made from.",
    "Declare the ARG again in the stage that uses it.",
)
ENTRYPOINT = Check(
    "dockerfile.entrypoint",
    Severity.CRITICAL,
    "what ENTRYPOINT and CMD make together is a program of the image",
    "The container ends as soon as it is started.",
    "Give CMD only what the base's entry point takes, or set ENTRYPOINT yourself, in exec form.",
)
STEPS = Check(
    "dockerfile.steps",
    Severity.CRITICAL,
    "every RUN can do its work where it stands",
    "The build stops at this step.",
    "Install what it needs, copy its files before it, or move it in front of USER.",
)
CHECKS = (PARSE, STAGES, CONTEXT, STEPS, PLATFORM, USER, HEALTH, LABELS, ENTRYPOINT)

_NO_HEALTH_PATH = re.compile(r"https?://[^\s'\"/]+(?P<path>/[^\s'\"?)]*)?")
_AMD64 = re.compile(r"https?://[^\s$]*(amd64|x86_64)")
_OTHER_MACHINES = re.compile(r"arm64|aarch64|TARGETARCH|uname|dpkg|\bif\b|\bcase\b|\$\(")
_PORTS = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)[\"']?\s*[:,]\s*(\d{2,5})")
_ALIASES = {"nonroot": "65532", "root": "0", "nobody": "65534"}


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    for trouble in scope.plans.troubles:
        yield PARSE.fail(trouble.message, "", [Evidence(trouble.path, trouble.line)])
    for image in scope.images:
        yield from _parse(image)
        if image.broken:
            for check in CHECKS[1:]:
                yield check.skip(f"the Dockerfile cannot be followed: {image.broken}", image.service.name)
            continue
        yield from _stages(scope, image)
        yield from _context(scope, image)
        yield from _steps(image)
        yield from _platform(scope, image)
        yield from _user(image)
        yield from _health(image)
        yield from _labels(image)
        yield from _entrypoint(scope, image)


def _at(image: Image, line: int) -> tuple[Evidence, ...]:
    """A line of the Dockerfile as evidence."""
    for instruction in image.parsed.instructions:
        if instruction.line == line:
            return (Evidence(image.dockerfile, line, excerpt(instruction.excerpt())),)
    return (Evidence(image.dockerfile, line),)


def _from_line(image: Image) -> int:
    return image.final.opening.line if image.final is not None else 0


def _parse(image: Image) -> Iterator[Finding]:
    name = image.service.name
    if image.parsed.errors:
        for error in image.parsed.errors:
            yield PARSE.fail(f"it cannot be read: {error.message}", name, [Evidence(image.dockerfile, error.line)])
    elif image.broken:
        yield PARSE.fail(image.broken, name, [Evidence(image.dockerfile)])
    elif image.refused:
        for error in image.refused:
            yield PARSE.fail(f"the build stops here: {error.message}", name, _at(image, error.line))
    else:
        yield PARSE.passed(f"{len(image.parsed.instructions)} instructions in {len(image.stages.stages)} stages", name)


def _stages(scope: Scope, image: Image) -> Iterator[Finding]:
    name, final = image.service.name, image.final
    assert final is not None, "an image that is not broken has a final stage"
    failed = False
    for stage in image.stages.stages:
        for instruction, reference in sources(stage):
            if image.stages.named(reference, stage.index) is None and (
                image.stages.later(reference, stage.index) is not None or reference.isdigit()
            ):
                failed = True
                message = f"there is no stage {reference} before this one"
                yield STAGES.fail(message, name, _at(image, instruction.line))
            elif image.stages.named(reference, stage.index) is None and (near := _misspelled(image, reference)):
                failed = True
                message = f"there is no stage {reference}, and no registry has such an image: {near} is one"
                yield STAGES.fail(message, name, _at(image, instruction.line))
        if stage.unset and {*stage.unset} <= image.parsed.asked_for:
            failed = True
            reason = f"FROM uses {', '.join(stage.unset)}, which whoever builds it gives"
            yield STAGES.skip(reason, name, _at(image, stage.opening.line))
        elif stage.unset:
            failed = True
            message = f"FROM uses {', '.join(stage.unset)}, which nothing sets before it"
            yield STAGES.fail(message, name, _at(image, stage.opening.line))
    for missing in image.missing:
        if missing.lack is Lack.STAGE:
            failed = True
            yield STAGES.fail(f"{missing.source}: {missing.reason}", name, _at(image, missing.line))
    where = _at(image, _from_line(image))
    demanded = bool(scope.manifest.policy.distroless)
    if len(image.stages.stages) < 2:
        failed = True
        yield STAGES.fail("there is one stage only", name, where, severity=_demand(Severity.WARNING, demanded))
    if image.base is None and demanded:
        yield STAGES.skip(f"the base image {image.base_reference} is unknown: is it distroless?", name, where)
    elif image.base is not None and not image.base.distroless:
        message = f"the final stage is built on {image.base_reference}, which is not distroless"
        yield STAGES.fail(message, name, where, severity=_demand(Severity.CRITICAL, demanded))
    elif not failed:
        yield STAGES.passed(f"{len(image.stages.stages)} stages, the last on {image.base_reference}", name, where)


def _misspelled(image: Image, reference: str) -> str:
    """The stage that a name without a tag or a registry surely means; empty when it may mean an image."""
    if not re.fullmatch(r"[a-z][\w-]*", reference):
        return ""
    further = image.launch.contexts if image.launch is not None else ()
    if reference in further:
        return ""
    names = [*(stage.name for stage in image.stages.stages if stage.name), *further]
    near = get_close_matches(reference.lower(), names, 1, 0.8)
    return near[0] if near else ""


def _demand(severity: Severity, demanded: bool) -> Severity:
    """The severity of a demand; what nobody demands is a note."""
    return severity if demanded else Severity.INFO


def _context(scope: Scope, image: Image) -> Iterator[Finding]:
    name = image.service.name
    lacking = [missing for missing in image.missing if missing.lack is not Lack.STAGE]
    if not lacking:
        tried = [f"not from {directory or '.'}" for directory, missing in image.contexts if missing]
        shown = ", ".join([f"it builds from {image.context or '.'}", *tried])
        yield CONTEXT.passed(shown, name, [Evidence(image.dockerfile)])
        return
    for missing in lacking:
        path = posixpath.normpath(posixpath.join(image.context or "", missing.source.strip("/")))
        if ignored := made_beforehand(scope.tree, path):
            reason = f"{missing.source} is left out of git ({ignored}): something makes it before the build"
            yield CONTEXT.skip(reason, name, _at(image, missing.line))
            continue
        others = [
            directory or "."
            for directory, failed in image.contexts
            if missing.source not in {each.source for each in failed}
        ]
        hint = f"; it is found from {', '.join(others)}, but that context lacks others" if others else ""
        remedy = remedies.of_missing(image, scope.tree, missing)
        yield CONTEXT.fail(f"{missing.source}: {missing.reason}{hint}", name, _at(image, missing.line), remedy=remedy)


def _steps(image: Image) -> Iterator[Finding]:
    name = image.service.name
    for failure in image.failures:
        remedy = remedies.bring(image, failure.lacks) if failure.lacks else ""
        yield STEPS.fail(failure.message, name, _at(image, failure.line), remedy=remedy)
    if not image.failures:
        count = sum(each.keyword == "RUN" for stage in image.stages.stages for each in stage.instructions)
        yield STEPS.passed(f"nothing speaks against its {count} RUN", name)


def _platform(scope: Scope, image: Image) -> Iterator[Finding]:
    name, wanted = image.service.name, image.service.platform
    foreign = _foreign_program(image)
    if foreign is not None:
        made = _AMD64.search(foreign.text)[1]  # type: ignore[index]
        message = f"it starts a program that is downloaded for {made} alone"
        if _same_platform(image.built_for or "", "linux/arm64"):
            message = f"it downloads what is for {made} alone, and is built for arm64"
        remedy = "Declare ARG TARGETARCH and use it in the URL, or pin the platform of FROM."
        yield PLATFORM.fail(message, name, _at(image, foreign.line), remedy=remedy)
        return
    if wanted is None:
        yield PLATFORM.passed("no platform is demanded", name)
        return
    architecture = wanted.partition("/")[2]
    where = _at(image, _from_line(image))
    told = platform_of_tag(image.base_reference)
    for said, message in (
        (image.platform, f"the final stage is pinned to {image.platform}"),
        (told, f"the base's tag says {told.removeprefix('linux/')}"),
    ):
        if said:
            yield _as_wanted(said, wanted, message, name, where)
            return
    for path, line, text in _build_settings(scope, image):
        yield _as_wanted(text, wanted, f"{path} builds it for {text}", name, [Evidence(path, line, text)])
        return
    reason = f"nothing in the tree says {architecture}: the machine that builds decides"
    yield PLATFORM.skip(reason, name, where)


def _foreign_program(image: Image) -> Instruction | None:
    """The instruction that fetches what is started for amd64 by name, where nothing says that amd64 is built for."""
    if image.final is None or not image.start.words or "amd64" in image.built_for or "x86_64" in image.built_for:
        return None
    places = {image.start.words[0], image.start.program} - {""}
    pinned = _same_platform(image.built_for or "", "linux/arm64")
    fetching = [
        each for each in image.final.instructions if each.keyword in ("ADD", "RUN") and _AMD64.search(each.text)
    ]
    if pinned and (alone := next((each for each in fetching if not _OTHER_MACHINES.search(each.text)), None)):
        return alone
    return next((each for each in fetching if places & {*re.split(r"[\s=;&|]+", each.text)}), None)


def _as_wanted(said: str, wanted: str, message: str, name: str, where: Iterable[Evidence]) -> Finding:
    if _same_platform(said, wanted):
        return PLATFORM.passed(message, name, where)
    return PLATFORM.fail(f"{message}, not {wanted}", name, where)


def _same_platform(one: str, other: str) -> bool:
    def plain(text: str) -> str:
        name = text.lower().removeprefix("linux/")
        return {"arm64v8": "arm64", "aarch64": "arm64", "arm64/v8": "arm64", "x86_64": "amd64"}.get(name, name)

    return plain(one) == plain(other)


def _build_settings(scope: Scope, image: Image) -> Iterator[tuple[str, int, str]]:
    """Platforms that bake and compose files name beside this Dockerfile."""
    base = posixpath.basename(image.dockerfile)
    for path in scope.tree.files():
        file = posixpath.basename(path)
        if not re.fullmatch(r"docker-bake\.(hcl|json)|(docker-)?compose([.\w-]*)?\.ya?ml", file):
            continue
        text = scope.tree.text(path)
        if base not in text and f'"{image.service.name}"' not in text:
            continue
        found = re.search(r"platforms?\s*[:=]\s*\[?\s*-?\s*[\"']?(linux/[\w/]+)", text)
        if found is not None:
            yield path, text.count("\n", 0, found.start(1)) + 1, found[1]


def _user(image: Image) -> Iterator[Finding]:
    name, wanted = image.service.name, image.service.user
    where = _at(image, image.user_line or _from_line(image))
    if not image.user and wanted is not None:
        yield USER.skip("no USER is set, and the base's own is not known", name, where)
        return
    if not image.user:
        yield USER.passed("it runs as the base's own user", name, where)
        return
    if (unknown := _no_such_user(image)) and image.launch is not None and image.launch.user:
        where = (Evidence(image.launch.file, image.launch.line),)
    if unknown:
        yield USER.fail(f"there is no user {unknown} in the image: the container is not started", name, where)
        return
    if wanted is not None and _user_numbers(image.user, wanted) != _user_numbers(wanted, wanted):
        yield USER.fail(f"it runs as {image.user}, not as {wanted}", name, where)
        return
    if wanted is None and image.user.partition(":")[0] in ("0", "root"):
        yield USER.fail("it runs as root", name, where, severity=Severity.INFO)
    unreachable = _unreachable(image)
    for path, message, line in unreachable:
        yield USER.fail(f"{path} {message}", name, _at(image, line))
    if not unreachable:
        yield USER.passed(f"it runs as {image.user}", name, where)


def _no_such_user(image: Image) -> str:
    """The name in USER that /etc/passwd surely lacks; empty for a number, and where not all users are known."""
    user = image.user.partition(":")[0]
    if image.users is None or not user or user.isdigit() or "$" in user or user in image.users or user in image.homes:
        return ""
    entry, doubt = image.files.find("/etc/passwd"), image.files.doubt("/etc/passwd")
    return user if entry is None and doubt.cause is Cause.BASE else ""


def _user_numbers(text: str, wanted: str) -> tuple[str, ...]:
    parts = [_ALIASES.get(part, part) for part in text.split(":")]
    # A user given without a group gets its own: 65532 is in 65532.
    if len(parts) == 1 and ":" in wanted:
        parts.append(parts[0])
    return tuple(parts)


def _unreachable(image: Image) -> list[tuple[str, str, int]]:
    """Files that the user must read to start, and cannot."""
    number = str(image.uid) if image.uid is not None else image.user.partition(":")[0]
    found: list[tuple[str, str, int]] = []
    for path, entry in sorted(image.files.entries.items()):
        if entry.user is None or entry.mode is None or str(entry.user) == number or not entry.line:
            continue
        if not any(
            path == each or path.startswith(each + "/") for each in (*image.start.search, image.workdir) if each != "/"
        ):
            continue
        if any(path.startswith(above + "/") for above, _, _ in found):
            continue  # the directory above it says it all
        needed = 0o1 if entry.kind == "directory" else 0o4
        if entry.kind != "link" and not entry.mode & needed:
            found.append(
                (path, f"belongs to user {entry.user} with mode {entry.mode:03o}: {number} cannot read it", entry.line)
            )
    return found[:10]


def _health(image: Image) -> Iterator[Finding]:
    name, health = image.service.name, image.health
    if health is None or health.disabled:
        line = health.line if health else _from_line(image)
        severity = _demand(Severity.WARNING, image.service.health is not None)
        yield HEALTH.fail("there is no health check", name, _at(image, line), severity=severity)
        return
    where = _at(image, health.line)
    problems = list(_health_problems(image))
    for message in problems:
        yield HEALTH.fail(message, name, where, remedy=remedies.of_health(image))
    if problems:
        return
    doubts = [doubt for each in health_programs(health) if (doubt := image.surroundings().find(each).doubt)]
    if doubts:
        yield HEALTH.skip(f"whether it can run: {doubts[0]}", name, where)
    else:
        yield HEALTH.passed("the health check can run", name, where)


def _health_problems(image: Image) -> Iterator[str]:
    health = image.health
    assert health is not None
    if not health.words or not health.words[0]:
        yield "the health check runs nothing"
        return
    yield from unable(image, health.words, shell_form=health.shell_form)
    text = " ".join(health.words)
    expected = image.service.port or (image.ports[0] if len(image.ports) == 1 else None)
    ports = ports_asked(text)
    if expected is not None and ports and expected not in ports:
        yield f"it asks port {min(ports)}, not {expected}"
    url = _NO_HEALTH_PATH.search(text)
    wanted = image.service.health
    if url is not None and wanted is not None and (url["path"] or "/").rstrip("/") != wanted.rstrip("/"):
        yield f"it asks {url['path'] or '/'}, not {wanted}"


def ports_asked(text: str) -> set[int]:
    """Ports of this machine that a health check asks."""
    return {int(port) for port in _PORTS.findall(text)}


def unable(image: Image, words: tuple[str, ...], *, shell_form: bool) -> Iterator[str]:
    """Why a health check cannot run in an image, as far as its programs decide it."""
    surroundings = image.surroundings()
    shell = surroundings.find("/bin/sh")
    if shell_form and not shell.place and not shell.doubt:
        yield "its shell form needs /bin/sh, which the image does not have"
        return
    for each in health_programs(Health(0, words, shell_form)):
        found = surroundings.find(each)
        if not found.place and not found.doubt:
            yield f"{each} is not in the image"
    if not shell_form and posixpath.basename(words[0]).startswith("python") and len(words) > 1:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        path = posixpath.normpath(posixpath.join(image.workdir, script))
        code = {"-c", "-m"} & {*words[1:]}
        if script and not code and image.files.find(path) is None and not image.files.doubt(path):
            yield f"{path}, which it runs, is not in the image"


def health_programs(health: Health) -> list[str]:
    """The programs that a health check surely starts: in shell form, those that decide its outcome."""
    if not health.shell_form:
        return [health.words[0]] if health.words and health.words[0] else []
    return certain_programs(" ".join(health.words))


def _labels(image: Image) -> Iterator[Finding]:
    name = image.service.name
    failed = False
    for wanted in image.service.labels:
        if wanted not in image.labels:
            failed = True
            yield LABELS.fail(f"the label {wanted} is missing", name, _at(image, _from_line(image)))
    for label in image.labels.values():
        if label.unset:
            failed = True
            names = ", ".join(label.unset)
            message = f"the label {label.name} uses {names}, which is not declared in this stage: it expands to nothing"
            yield LABELS.fail(message, name, _at(image, label.line))
        elif not label.value.strip():
            failed = True
            severity = _demand(Severity.WARNING, label.name in image.service.labels)
            yield LABELS.fail(f"the label {label.name} is empty", name, _at(image, label.line), severity=severity)
    if not failed:
        yield LABELS.passed(f"{len(image.labels)} labels", name)


def _entrypoint(scope: Scope, image: Image) -> Iterator[Finding]:
    name, start = image.service.name, image.start
    where = _at(image, start.line or _from_line(image))
    if start.file:
        where = (Evidence(start.file, start.line, excerpt(" ".join(start.words))),)
    if start.trouble:
        remedy = remedies.of_script(image, scope.tree) or remedies.of_start(image)
        yield ENTRYPOINT.fail(start.trouble, name, where, remedy=remedy)
    elif start.doubt:
        yield ENTRYPOINT.skip(start.doubt, name, where)
    else:
        yield ENTRYPOINT.passed(f"it starts {' '.join(start.words)}", name, where)
