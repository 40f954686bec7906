"""`nginx.upstreams` and `nginx.user`: hosts that nginx can look up, directories that its user may write to.

It finds the configurations, too, that `nginx.ports` and `nginx.files` judge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.checks.nginx_certificates import FILES, judge_certificates
from smoke.static.checks.nginx_ports import LISTENS, judge_listening
from smoke.static.compose.project import ComposeProject, names_in
from smoke.static.compose.service import ComposeService, text_of
from smoke.static.model.filesystem import DoubtCause
from smoke.static.model.image import Image
from smoke.static.model.launch import MountKind
from smoke.static.regex import regex
from smoke.static.scope import Scope

UPSTREAMS = Check(
    "nginx.upstreams",
    Severity.CRITICAL,
    "every host that nginx passes requests to is a service of its Compose project",
    "nginx ends at once: host not found in upstream.",
    "Write the service's name, or give the service that name as an alias.",
)
USER = Check(
    "nginx.user",
    Severity.CRITICAL,
    "nginx may write where it keeps its temporary files",
    "nginx ends at once: it makes its directories and its pid file as it starts, and may not.",
    "Take nginxinc/nginx-unprivileged, or leave USER out: nginx starts as root, and its workers do not stay it.",
)
CHECKS = (UPSTREAMS, USER, LISTENS, FILES)
_NGINX = regex(r"(?:[\w.-]+(?::\d+)?/)*(?:library/)?nginx(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?")
_PASSED = regex(
    r"(?:proxy_pass\s+https?://|grpc_pass\s+grpcs?://|(?:fastcgi|scgi|memcached)_pass\s+|uwsgi_pass\s+(?:s?uwsgi://)?)([^\s;/]+)"
)
_UPSTREAM = regex(r"\bupstream\s+([\w.-]+)\s*\{([^}]*)\}")
_MEMBER = regex(r"(?m)^\s*server\s+([^\s;]+)([^;]*);")
_HOST = regex(r"[A-Za-z][\w-]*")
MAX_CONFIGURATION = 1 << 18


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`."""
    images = {(image.launch.file, image.launch.name): image for image in scope.images if image.launch is not None}
    for project in scope.plans.projects:
        if _lookups_are_open(project):
            continue
        for service in project.services.values():
            image = images.get((service.file, service.name))
            targets = _configurations(scope, service, image)
            texts = {each: re.sub(r"#[^\n]*", "", scope.tree.text(each)[:MAX_CONFIGURATION]) for each in targets}
            if texts:
                yield from _upstreams(scope, project, service, texts)
                yield from judge_listening(service, image, texts, targets)
                yield from judge_certificates(service, image, texts)
    for image in scope.images:
        if image.base is not None and _NGINX.fullmatch(image.base_reference) and "nginx" in image.start.words:
            yield from _user(image)


# -- hosts ------------------------------------------------------------------------------------------------------------


def _configurations(scope: Scope, service: ComposeService, image: Image | None) -> dict[str, str]:
    """Files of the tree that nginx reads in a service, with the place where it has each."""
    found: dict[str, str] = {}
    if image is not None and _NGINX.fullmatch(image.base_reference):
        found |= {
            entry.source: path
            for path, entry in image.files.entries.items()
            if path.startswith("/etc/nginx/") and entry.kind == "file" and entry.source
        }
    elif image is None and _NGINX.fullmatch(service.image):
        for mount in service.launch.mounts:
            if mount.kind is MountKind.TREE and f"{mount.target}/".startswith("/etc/nginx/"):
                below = [each for each in scope.tree.files() if each.startswith(f"{mount.source}/")]
                found |= {each: mount.target + each.removeprefix(mount.source) for each in (mount.source, *below)}
    return {each: to for each, to in found.items() if each.endswith(".conf") and scope.tree.is_file(each)}


def _lookups_are_open(project: ComposeProject) -> bool:
    """Whether containers of others may be reached by their names."""
    networks = project.root.get("networks")
    declared = (networks.mapping or {}) if networks is not None else {}
    if any(text_of(each.get("external")) not in ("", "false") or each.get("name") for each in declared.values()):
        return True
    return any(each.node.get("network_mode") or each.node.get("extends") for each in project.services.values())


def _known(scope: Scope, service: ComposeService) -> set[str]:
    """Names that can be looked up: those of all services of the tree, and others that they are given."""
    found = {"localhost"}
    for project in scope.plans.projects:
        found |= {*project.services}
        for each in project.services.values():
            found |= {text_of(each.node.get("container_name")), text_of(each.node.get("hostname"))}
            networks = each.node.get("networks")
            for network in (networks.mapping or {}).values() if networks is not None else ():
                aliases = network.get("aliases")
                found |= {item.text for item in aliases.children()} if aliases is not None else set()
    for key in ("extra_hosts", "links", "external_links"):
        node = service.node.get(key)
        for name in names_in(node) if node is not None else ():
            found |= {*re.split(r"[:=]", name)}
    return found


def _upstreams(
    scope: Scope, project: ComposeProject, service: ComposeService, texts: dict[str, str]
) -> Iterator[Finding]:
    whole = "\n".join(texts.values())
    own = {match[1] for match in _UPSTREAM.finditer(whole)}
    known = _known(scope, service) | own
    failed = False
    for path, text in texts.items():
        for host in dict.fromkeys(_hosts(text)):
            if host in known:
                continue
            failed = True
            line = next((number for number, each in enumerate(text.split("\n"), 1) if host in each), 0)
            shown = excerpt(text.split("\n")[line - 1]) if line else ""
            others = ", ".join(sorted(name for name in project.services if name != service.name)[:4])
            message = f"nginx passes to {host}, and there is no service of that name (there are {others})"
            yield UPSTREAMS.fail(message, service.name, [Evidence(path, line, shown)])
    if not failed:
        yield UPSTREAMS.passed("every host that it names is a service", service.name)


def _hosts(text: str) -> Iterator[str]:
    """Hosts without a dot that nginx looks up as it starts: those that no variable makes."""
    named = [match[1] for match in _PASSED.finditer(text)]
    for upstream in _UPSTREAM.finditer(text):
        named += [member[1] for member in _MEMBER.finditer(upstream[2]) if "resolve" not in member[2]]
    for each in named:
        host = each.partition(":")[0]
        if "$" not in each and host != "unix" and _HOST.fullmatch(host):
            yield host


# -- the user ---------------------------------------------------------------------------------------------------------


def _user(image: Image) -> Iterator[Finding]:
    name = image.service.name
    if not image.uid:
        yield USER.passed("it starts as root, and its workers do not stay it", name)
        return
    steps = [each.text for stage in image.stages.stages for each in stage.instructions if each.keyword == "RUN"]
    held = [image.files.find(place) for place in ("/var/cache/nginx", "/var/cache")]
    doubts = [*image.files.every_doubt("/var/cache/nginx/client_temp")]
    mounted = image.launch is not None and any(
        f"{each.target.rstrip('/')}/".startswith("/var/cache") for each in image.launch.mounts
    )
    configured = image.files.find("/etc/nginx/nginx.conf")
    if (
        mounted
        or any("/var/cache" in step or "nginx.conf" in step for step in steps)
        or any(entry is not None and entry.line for entry in held)
        or any(each.cause not in (DoubtCause.BASE, DoubtCause.PACKAGES) for each in doubts)
        or (configured is not None and configured.line)
    ):
        yield USER.skip("where it keeps its temporary files is not known", name)
        return
    where = [Evidence(image.dockerfile, image.user_line, f"USER {image.user}")]
    message = f"nginx makes /var/cache/nginx/client_temp and /run/nginx.pid, and {image.user} may not write there"
    yield USER.fail(message, name, where)
