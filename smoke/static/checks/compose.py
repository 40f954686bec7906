"""`compose.*`: what the Compose files make of the images: ports, health, order, hardening, limits, networks."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks import remedies
from smoke.static.checks.dockerfile import health_programs, ports_asked, unable
from smoke.static.compose.document import Node
from smoke.static.compose.project import Project, names_in, used
from smoke.static.compose.service import ComposeService, env_files
from smoke.static.generated import made_beforehand
from smoke.static.model.image import Health, Image
from smoke.static.scope import Scope

SERVICES = Check(
    "compose.services",
    Severity.CRITICAL,
    "the Compose files can be read and have every service",
    "What is not in the file does not run.",
    "Add the service, or take the file out of the manifest.",
)
IMAGES = Check(
    "compose.images",
    Severity.WARNING,
    "each service's image is the one that is built",
    "Another image than the one that was tested is pulled, or none.",
    "Name the image as the manifest does.",
)
PORTS = Check(
    "compose.ports",
    Severity.CRITICAL,
    "published ports lead to the port of the service",
    "Nobody reaches the service.",
    "Publish the port that the service listens at.",
)
HEALTH = Check(
    "compose.health",
    Severity.CRITICAL,
    "health checks run with what the image has",
    "The container is unhealthy forever, and what waits for it never starts.",
    'Write test: ["CMD", ...] with a program that is in the image, or leave the image\'s own.',
)
DEPENDS = Check(
    "compose.depends",
    Severity.CRITICAL,
    "what is depended on exists, and can become what is waited for",
    "Compose refuses the file, or waits forever.",
    "Correct the name, or give what is waited for a health check.",
)
HARDENING = Check(
    "compose.hardening",
    Severity.WARNING,
    "read-only root, no capabilities, no new privileges",
    "Whoever gets into the service can change it and reach for more.",
    "Set read_only: true, cap_drop: [ALL] and security_opt: [no-new-privileges:true].",
)
LIMITS = Check(
    "compose.limits",
    Severity.WARNING,
    "memory is limited",
    "One service takes the whole machine down with it.",
    "Set mem_limit, or deploy.resources.limits.memory.",
)
NETWORKS = Check(
    "compose.networks",
    Severity.CRITICAL,
    "networks and volumes that are used are declared",
    "Compose refuses the file.",
    "Declare it at the top level.",
)
ENVIRONMENT = Check(
    "compose.environment",
    Severity.CRITICAL,
    "files of variables that services name are there",
    "Compose refuses to start the service.",
    "Add the file, or write required: false.",
)
CHECKS = (SERVICES, ENVIRONMENT, IMAGES, PORTS, HEALTH, DEPENDS, HARDENING, LIMITS, NETWORKS)
_EXAMPLES = ("{}.example", "{}.sample", "{}.template", "{}.dist", "example{}", "sample{}", "{}-example", "{}_example")
_NO_HEALTH = frozenset(
    [
        *["postgres", "redis", "mysql", "mariadb", "mongo", "rabbitmq", "nginx", "memcached", "busybox", "alpine"],
        *["debian", "ubuntu", "python", "node", "valkey/valkey", "traefik", "minio/minio", "caddy", "httpd"],
    ]
)
"""Public images that have no health check of their own."""


@dataclass(frozen=True)
class _Service:
    """A service of a Compose project, with the image that the tree builds for it, if that is known."""

    service: ComposeService
    project: Project
    image: Image | None
    images: Mapping[str, Image]
    """The images of its project's services that the tree builds, by the services' names."""

    @property
    def name(self) -> str:
        """Its name in the file."""
        return self.service.name

    @property
    def node(self) -> Node:
        """All that the files say of it."""
        return self.service.node

    @property
    def root(self) -> Node:
        """All that the project's files say."""
        return self.project.root


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    if not scope.plans.projects:
        for check in CHECKS:
            yield check.passed("there is no Compose file")
        return
    services: list[_Service] = []
    for project in scope.plans.projects:
        yield from _project(scope, project, services)
    known = {service.image.service.name for service in services if service.image is not None}
    if services and scope.manifest.compose and scope.manifest.services:
        for image in scope.images:
            if image.service.name not in known:
                first = scope.plans.projects[0].files[0]
                yield SERVICES.fail("no Compose file has it", image.service.name, [Evidence(first)])
    for service in services:
        yield from _service(scope, service)


def _project(scope: Scope, project: Project, services: list[_Service]) -> Iterator[Finding]:
    shown = " and ".join(project.files)
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
        services.append(_Service(service, project, built.get(service.name), built))
        for finding in _unbuildable(scope, service):
            broken = True
            yield finding
    if not broken:
        at = [Evidence(project.files[0], listed.line if listed is not None else 0)]
        yield SERVICES.passed(f"{shown} has {', '.join(project.services)}", "", at)


def _elsewhere(scope: Scope, name: str, service: ComposeService) -> str:
    """The Compose file of another project that has a whole service of that name; empty when none has."""
    for project in scope.plans.projects:
        other = project.services.get(name)
        mine = project.services.get(service.name) is service
        if other is not None and not mine and (other.image or other.build is not None):
            return other.file
    return ""


def _unbuildable(scope: Scope, service: ComposeService) -> Iterator[Finding]:
    """A service without anything to run, or whose build has no directory or Dockerfile."""
    build = service.build
    if build is None:
        if not service.image and service.node.get("extends") is None and service.node.get("provider") is None:
            at = [Evidence(service.file, service.node.line)]
            if other := _elsewhere(scope, service.name, service):
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
        if image.service.image is not None and _repository(image.service.image) == _repository(service.image):
            return image
    named = (image for image in scope.images if image.service.name == service.name)
    return next(named, None) if service.build is not None or not service.image else None


def _repository(reference: str) -> str:
    return re.sub(r"(@sha256:\w+|:[\w.-]+)$", "", reference)


def _default(text: str) -> str:
    """`${NAME:-value}` with nothing set."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)


def _text(node: Node | None) -> str:
    return "" if node is None else node.text


def _items(node: Node | None) -> list[Node]:
    return [] if node is None or node.items is None else node.items


def _service(scope: Scope, service: _Service) -> Iterator[Finding]:
    hardened = bool(scope.manifest.policy.hardening)
    yield from _environment(scope, service)
    yield from _image_name(service)
    yield from _ports(service)
    yield from _health(service)
    yield from _depends(scope, service)
    yield from _hardening(service, hardened)
    yield from _limits(service, hardened)
    yield from _networks(service)


def _at(service: _Service, node: Node | None, text: str = "") -> list[Evidence]:
    found = node or service.node
    return [Evidence(found.file or service.service.file, found.line, excerpt(text or found.text))]


def _environment(scope: Scope, service: _Service) -> Iterator[Finding]:
    """Files of variables; one that is made from an example, or that git ignores, is no fault of the tree."""
    tree, directory = scope.tree, service.project.directory
    failed = False
    given = list(env_files(service.node))
    for item, needed in given:
        path = posixpath.normpath(posixpath.join(directory, item.text))
        if not needed or "$" in item.text or path.startswith("..") or tree.is_file(path) or path in tree.links:
            continue
        where, name = posixpath.split(path)
        beside = set(tree.directories.get(where, ()))
        example = next((each for form in _EXAMPLES if (each := form.format(name)) in beside), "")
        ignored = any(
            _ignores(tree.text(posixpath.join(place, ".gitignore")), name) for place in {"", where, directory}
        )
        message = f"there is no {item.text}"
        failed = True
        if example or ignored or name == "stack.env":  # Portainer writes one by that name
            note = f": it is made from {example}" if example else ": everyone makes their own"
            yield ENVIRONMENT.fail(message + note, service.name, _at(service, item), severity=Severity.INFO)
        else:
            yield ENVIRONMENT.fail(message, service.name, _at(service, item))
    if given and not failed:
        yield ENVIRONMENT.passed(f"{len(given)} files of variables are there", service.name)


def _ignores(text: str, name: str) -> bool:
    lines = [line.strip() for line in text.splitlines()[:2_000]]
    patterns = [line.rpartition("/")[2] for line in lines if line and not line.startswith(("#", "!"))]
    return any(pattern and fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _image_name(service: _Service) -> Iterator[Finding]:
    node = service.node.get("image")
    if service.image is None or service.image.service.image is None or node is None:
        return
    wanted, given = service.image.service.image, _default(node.text)
    if given != wanted:
        yield IMAGES.fail(f"it runs {given}, and {wanted} is built", service.name, _at(service, node))
    else:
        yield IMAGES.passed(f"it runs {given}", service.name, _at(service, node))


def _ports(service: _Service) -> Iterator[Finding]:
    image, node = service.image, service.node.get("ports")
    if image is None or node is None or image.broken:
        return
    expected = _expected_ports(image)
    targets = {}
    for item in _items(node):
        text = _default(_text(item.get("target")) or item.text).partition("/")[0]
        number = text.rpartition(":")[2]
        if number.isascii() and number.isdigit() and len(number) < 6:
            targets[int(number)] = item
    shown = ", ".join(map(str, sorted(expected)))
    if not expected:
        return
    if not targets:
        yield PORTS.skip("which ports are published cannot be told", service.name, _at(service, node))
    elif not expected & targets.keys():
        port, item = min(targets.items())
        yield PORTS.fail(f"{port} is published, and it serves {shown}", service.name, _at(service, item))
    else:
        port = min(expected & targets.keys())
        yield PORTS.passed(f"{port} is published", service.name, _at(service, targets[port]))


def _expected_ports(image: Image) -> set[int]:
    """Ports that a service may serve: the manifest's; or what its image exposes, its command and its variables say."""
    if image.service.port is not None:
        return {image.service.port}
    launch = image.launch
    said = {image.start.port} if image.start.port is not None else set()
    if launch is not None:
        numbers = {int(text) for value in launch.environment.values() for text in re.findall(r"\b\d{2,5}\b", value)}
        if launch.command is not None or launch.entrypoint is not None:
            return (said | numbers) if said else set()
        said |= numbers if said or image.ports else set()
    if image.ports_doubt:
        return set()
    return said | set(image.ports)


def _health(service: _Service) -> Iterator[Finding]:
    node = service.node.get("healthcheck")
    test = None if node is None else node.get("test")
    if test is None:
        if service.image is not None and service.image.health is not None:
            yield HEALTH.passed("the image's own health check", service.name, _at(service, node))
        return
    words = [item.text for item in test.items] if test.items is not None else ["CMD-SHELL", test.text]
    where = _at(service, test, " ".join(words))
    image = service.image
    if words[:1] == ["NONE"] or len(words) < 2 or _text(service.node.get("healthcheck", "disable")) == "true":
        yield HEALTH.fail("there is no health check", service.name, where, severity=Severity.WARNING)
    elif image is None or image.broken or image.base is None:
        yield HEALTH.skip("what the image has is not known", service.name, where)
    else:
        shell_form = words[0] == "CMD-SHELL"
        problems = list(unable(image, tuple(words[1:]), shell_form=shell_form))
        programs = health_programs(Health(0, tuple(words[1:]), shell_form))
        doubts = [doubt for each in programs if (doubt := image.surroundings().find(each).doubt)]
        asked, expected = ports_asked(" ".join(words)), _expected_ports(image)
        if expected and asked and not asked & expected and image.launch is not None:
            problems.append(f"it asks port {min(asked)}, and it serves {', '.join(map(str, sorted(expected)))}")
        for problem in problems:
            yield HEALTH.fail(problem, service.name, where, remedy=remedies.of_health(image))
        if not problems and doubts:
            yield HEALTH.skip(f"whether it can run: {doubts[0]}", service.name, where)
        elif not problems:
            yield HEALTH.passed("it can run in the image", service.name, where)


def _depends(scope: Scope, service: _Service) -> Iterator[Finding]:
    node = service.node.get("depends_on")
    if node is None:
        return
    others = service.project.services
    wanted = names_in(node)
    failed = False
    for name, how in wanted.items():
        other = others.get(name)
        optional = _text(how.get("required")) == "false"
        if other is None:
            failed = True
            elsewhere = _elsewhere(scope, name, service.service)
            if elsewhere and not optional:
                yield DEPENDS.skip(f"{name} is a service of {elsewhere}", service.name, _at(service, how, name))
            elif not optional:
                yield DEPENDS.fail(f"there is no service {name}", service.name, _at(service, how, name))
        elif _items(other.node.get("profiles")) and not _items(service.node.get("profiles")) and not optional:
            failed = True
            message = f"it depends on {name}, which only a profile starts"
            yield DEPENDS.fail(message, service.name, _at(service, how, name))
        elif _text(how.get("condition")) == "service_healthy" and _never_healthy(service, other):
            failed = True
            message = f"it waits for {name} to be healthy, which has no health check"
            yield DEPENDS.fail(message, service.name, _at(service, how, name))
    if not failed:
        yield DEPENDS.passed(f"it waits for {', '.join(wanted)}", service.name, _at(service, node))


def _never_healthy(service: _Service, other: ComposeService) -> bool:
    """Whether a service surely has no health check: it sets none, and its image has none."""
    test = other.node.get("healthcheck", "test")
    if _text(other.node.get("healthcheck", "disable")) == "true":
        return True
    if test is not None:
        return _text(test) == "NONE" or [item.text for item in _items(test)][:1] == ["NONE"]
    if other.build is None:
        name = re.sub(r"^(?:docker\.io/)?(?:library/)?", "", _repository(other.image))
        return name in _NO_HEALTH
    image = service.images.get(other.name)
    return (
        image is not None
        and not image.broken
        and image.base is not None
        and (image.health is None or image.health.disabled)
    )


def _hardening(service: _Service, demanded: bool) -> Iterator[Finding]:
    if service.image is None:
        return
    node = service.node
    lacking = []
    if _text(node.get("read_only")) != "true":
        lacking.append("read_only: true")
    if "ALL" not in {item.text.upper() for item in _items(node.get("cap_drop"))}:
        lacking.append("cap_drop: [ALL]")
    options = {re.sub(r"[:=]true$", "", item.text) for item in _items(node.get("security_opt"))}
    if "no-new-privileges" not in options:
        lacking.append("security_opt: [no-new-privileges:true]")
    if _text(node.get("privileged")) == "true":
        severity = Severity.CRITICAL if demanded else Severity.INFO
        yield HARDENING.fail("it is privileged", service.name, _at(service, node.get("privileged")), severity=severity)
    user = node.get("user")
    if user is not None and user.text.partition(":")[0] in ("0", "root"):
        severity = Severity.CRITICAL if demanded else Severity.INFO
        yield HARDENING.fail("it runs as root", service.name, _at(service, user), severity=severity)
    softer = None if demanded else Severity.INFO
    if lacking:
        at = _at(service, None, service.name)
        yield HARDENING.fail(f"it lacks {', '.join(lacking)}", service.name, at, severity=softer)
    else:
        yield HARDENING.passed(
            "read-only, without capabilities or new privileges", service.name, _at(service, None, service.name)
        )


def _limits(service: _Service, demanded: bool) -> Iterator[Finding]:
    if service.image is None:
        return
    node = service.node.get("mem_limit") or service.node.get("deploy", "resources", "limits", "memory")
    if node is None:
        severity = None if demanded else Severity.INFO
        yield LIMITS.fail("its memory has no limit", service.name, _at(service, None, service.name), severity=severity)
    else:
        yield LIMITS.passed(f"{node.text} of memory at most", service.name, _at(service, node))


def _networks(service: _Service) -> Iterator[Finding]:
    failed = False
    wanted = [(what, *each) for what in ("networks", "volumes") for each in used(service.node, what)]
    for what, name, item in wanted:
        declared = service.root.get(what)
        if declared is None or declared.mapping is None or name not in declared.mapping:
            failed = True
            yield NETWORKS.fail(f"the {what[:-1]} {name} is not declared", service.name, _at(service, item, name))
    if not failed and wanted:
        message = f"{len(wanted)} networks and volumes are declared"
        yield NETWORKS.passed(message, service.name, _at(service, None, service.name))
