"""`compose.*`: what the Compose files make of the images: ports, health, order, hardening, limits, networks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.dockerfile import health_programs, unable
from smoke.static.compose.yaml import Node, YamlError, read_yaml
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
    "The container is unhealthy for ever, and what waits for it never starts.",
    'Write test: ["CMD", ...] with a program that is in the image, or leave the image\'s own.',
)
DEPENDS = Check(
    "compose.depends",
    Severity.CRITICAL,
    "what is depended on exists, and can become what is waited for",
    "Compose refuses the file, or waits for ever.",
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
CHECKS = (SERVICES, IMAGES, PORTS, HEALTH, DEPENDS, HARDENING, LIMITS, NETWORKS)
_FILE = re.compile(r"(?:docker-)?compose(?:[.\w-]*)?\.ya?ml")


@dataclass(frozen=True)
class _Service:
    """A service of a Compose file, with the image that the tree builds for it, if that is known."""

    file: str
    name: str
    node: Node
    image: Image | None
    root: Node


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    paths = scope.manifest.compose or tuple(
        path for path in scope.tree.files() if _FILE.fullmatch(posixpath.basename(path))
    )
    if not paths:
        for check in CHECKS:
            yield check.skip("there is no Compose file")
        return
    services: list[_Service] = []
    for path in paths:
        yield from _read(scope, path, services)
    known = [service for service in services if service.image is not None]
    if services and scope.manifest.compose and scope.manifest.services:
        found = {service.image.service.name for service in known if service.image is not None}
        for image in scope.images:
            if image.service.name not in found:
                yield SERVICES.fail("no Compose file has it", image.service.name, [Evidence(paths[0])])
    for service in services:
        yield from _service(service, bool(scope.manifest.policy.hardening))


def _read(scope: Scope, path: str, services: list[_Service]) -> Iterator[Finding]:
    if not scope.tree.is_file(path):
        yield SERVICES.fail(f"there is no {path}", "", [Evidence(path)])
        return
    try:
        root = read_yaml(scope.tree.text(path))
    except YamlError as error:
        reason = f"{path} has something that is not read here: {error}"
        for check in CHECKS:
            yield check.skip(reason, "", [Evidence(path, error.line)])
        return
    listed = root.get("services")
    if listed is None or not listed.mapping:
        yield SERVICES.fail(f"{path} has no services", "", [Evidence(path)])
        return
    for name, node in listed.mapping.items():
        if node.mapping is None:
            yield SERVICES.fail(f"{name} is no mapping", "", [Evidence(path, node.line)])
            continue
        services.append(_Service(path, name, node, _built(scope, path, name, node), root))
    yield SERVICES.passed(f"{path} has {', '.join(listed.mapping)}", "", [Evidence(path, listed.line)])


def _built(scope: Scope, path: str, name: str, node: Node) -> Image | None:
    """The image of the tree that a service runs: by its Dockerfile, its image's name, or its own name."""
    build = node.get("build")
    if build is not None:
        directory = build.text or _text(build.get("context")) or "."
        file = _text(build.get("dockerfile")) or "Dockerfile"
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), directory, file))
        for image in scope.images:
            if posixpath.normpath(image.dockerfile) == wanted:
                return image
    reference = _default(_text(node.get("image")))
    for image in scope.images:
        if image.service.image is not None and _repository(image.service.image) == _repository(reference):
            return image
    return next((image for image in scope.images if image.service.name == name and (build or not reference)), None)


def _repository(reference: str) -> str:
    return re.sub(r"(@sha256:\w+|:[\w.-]+)$", "", reference)


def _default(text: str) -> str:
    """`${NAME:-value}` with nothing set."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)


def _text(node: Node | None) -> str:
    return "" if node is None else node.text


def _items(node: Node | None) -> list[Node]:
    return [] if node is None or node.items is None else node.items


def _service(service: _Service, hardened: bool) -> Iterator[Finding]:
    yield from _image_name(service)
    yield from _ports(service)
    yield from _health(service)
    yield from _depends(service)
    yield from _hardening(service, hardened)
    yield from _limits(service, hardened)
    yield from _networks(service)


def _at(service: _Service, node: Node | None, text: str = "") -> list[Evidence]:
    found = node or service.node
    return [Evidence(service.file, found.line, excerpt(text or found.text))]


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
    expected = service.image.service.port if service.image is not None else None
    node = service.node.get("ports")
    if expected is None or node is None:
        return
    targets = {}
    for item in _items(node):
        text = _default(_text(item.get("target")) or item.text).partition("/")[0]
        number = text.rpartition(":")[2]
        if number.isascii() and number.isdigit() and len(number) < 6:
            targets[int(number)] = item
    if not targets:
        yield PORTS.skip("which ports are published can't be told", service.name, _at(service, node))
    elif expected not in targets:
        port, item = min(targets.items())
        yield PORTS.fail(f"{port} is published, and it serves {expected}", service.name, _at(service, item))
    else:
        yield PORTS.passed(f"{expected} is published", service.name, _at(service, targets[expected]))


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
    if words[:1] == ["NONE"] or len(words) < 2:
        yield HEALTH.fail("there is no health check", service.name, where, severity=Severity.WARNING)
    elif image is None or image.broken or image.base is None:
        yield HEALTH.skip("what the image has is not known", service.name, where)
    else:
        shell_form = words[0] == "CMD-SHELL"
        problems = list(unable(image, tuple(words[1:]), shell_form=shell_form))
        programs = health_programs(Health(0, tuple(words[1:]), shell_form))
        doubts = [doubt for each in programs if (doubt := image.surroundings().find(each).doubt)]
        for problem in problems:
            yield HEALTH.fail(problem, service.name, where)
        if not problems and doubts:
            yield HEALTH.skip(f"whether it can run: {doubts[0]}", service.name, where)
        elif not problems:
            yield HEALTH.passed("it can run in the image", service.name, where)


def _depends(service: _Service) -> Iterator[Finding]:
    node = service.node.get("depends_on")
    if node is None:
        return
    listed = service.root.get("services")
    others = listed.mapping if listed is not None and listed.mapping is not None else {}
    wanted = node.mapping if node.mapping is not None else {item.text: item for item in _items(node)}
    failed = False
    for name, how in wanted.items():
        if name not in others:
            failed = True
            yield DEPENDS.fail(f"there is no service {name}", service.name, _at(service, how, name))
        elif _text(how.get("condition")) == "service_healthy" and _never_healthy(service, others[name], name):
            failed = True
            message = f"it waits for {name} to be healthy, which has no health check"
            yield DEPENDS.fail(message, service.name, _at(service, how, name))
    if not failed:
        yield DEPENDS.passed(f"it waits for {', '.join(wanted)}", service.name, _at(service, node))


def _never_healthy(service: _Service, other: Node, name: str) -> bool:
    """Whether a service surely has no health check: it sets none, and its image is built here without one."""
    test = other.get("healthcheck", "test")
    if test is not None:
        return _text(test) == "NONE" or [item.text for item in _items(test)][:1] == ["NONE"]
    if _text(other.get("healthcheck", "disable")) == "true":
        return True
    image = service.image
    return image is not None and image.service.name == name and (image.health is None or image.health.disabled)


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
    root = service.root
    failed = False
    used: list[tuple[str, str, Node]] = []
    node = service.node.get("networks")
    if node is not None:
        names = node.mapping if node.mapping is not None else {item.text: item for item in _items(node)}
        used += [("network", name, item) for name, item in names.items() if name != "default"]
    for item in _items(service.node.get("volumes")):
        source = _text(item.get("source")) if item.mapping is not None else item.text.partition(":")[0]
        kind = _text(item.get("type")) or "volume"
        if (
            kind == "volume"
            and re.fullmatch(r"[A-Za-z0-9][\w.-]*", source)
            and (item.mapping is not None or ":" in item.text)
        ):
            used.append(("volume", source, item))
    for what, name, item in used:
        declared = root.get(f"{what}s")
        if declared is None or declared.mapping is None or name not in declared.mapping:
            failed = True
            yield NETWORKS.fail(f"the {what} {name} is not declared", service.name, _at(service, item, name))
    if not failed and used:
        yield NETWORKS.passed(
            f"{len(used)} networks and volumes are declared", service.name, _at(service, None, service.name)
        )
