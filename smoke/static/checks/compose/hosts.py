"""`compose.hosts`: the databases and brokers that services are told of are services that they reach."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.finding import Evidence, Finding, Severity
from smoke.static.checks.compose.elsewhere import owner_elsewhere
from smoke.static.checks.compose.rules import HOSTS
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.checks.evidence import at_source
from smoke.static.compose.document import YamlNode, as_mapping, items_of, text_of
from smoke.static.compose.project import names_in
from smoke.static.compose.service import ComposeService
from smoke.static.compose.stores import LOCAL, StoreAddress, StoreKind, address_of, store_of
from smoke.static.compose.waiting import awaited
from smoke.static.python.store_addresses import addresses
from smoke.static.python.texts import KnownTexts, settings_of
from smoke.static.regex import regex
from smoke.static.scope import Scope

_ELSEWHERE = regex(r"\.(?:md|rst|txt|sh|bash|ya?ml)$|(?:^|/)(?:Makefile|justfile|Taskfile\.ya?ml)$")
_TUNNELS = regex(r"proxy|tunnel|socat|stunnel|autossh|\bssh\b")
_MOST_FILES = 400
_MOST_SCRIPT = 1 << 16
_USUAL = frozenset(
    [
        *["db", "database", "postgres", "postgresql", "pg", "mysql", "mariadb", "redis", "valkey", "cache", "mongo"],
        *["mongodb", "rabbitmq", "rabbit", "broker", "memcached"],
    ]
)
"""What such services are mostly called."""


def judge_hosts(scope: Scope, service: RunningService) -> Iterator[Finding]:
    if _is_open(service) or store_of(service.service.image) is not None:
        return  # what a database is told of hosts is about who may come to it
    values = {name: value for name, value in service.service.launch.environment.items() if "$" not in value}
    failed, told = False, 0
    for name in values:
        address = address_of(name, values)
        if address is None:
            continue
        told += 1
        if why := _unreachable(scope, service, address):
            failed = True
            severity = None if _is_meant(service, address) or address.host in _USUAL else Severity.WARNING
            message = f"{name} leads to {_shown(address)}: {why}"
            yield HOSTS.fail(message, service.name, _at(service, name), severity=severity)
    for finding in (*_awaited(scope, service), *_by_code(scope, service)):
        failed = True
        yield finding
    if told and not failed:
        yield HOSTS.passed(f"{told} addresses lead to services that it reaches", service.name)


def _awaited(scope: Scope, service: RunningService) -> Iterator[Finding]:
    """Hosts that the command of Compose, or the entry script, waits for."""
    launch, image = service.service.launch, service.image
    told = " ".join([*(launch.entrypoint or ()), *(launch.command or ())])
    texts = [(told, at_node(service, service.node.get("command") or service.node.get("entrypoint"), told))]
    started = image is not None and image.launch is not None and image.launch.name == service.name
    for word in image.start.words if image is not None and started else ():
        entry = image.files.find(posixpath.join(image.workdir, word)) if image is not None and "/" in word else None
        if entry is not None and entry.source and b"exec " in scope.tree.data(entry.source)[:_MOST_SCRIPT]:
            texts.append((scope.tree.text(entry.source)[:_MOST_SCRIPT], [Evidence(entry.source, 0)]))
    seen: set[str] = set()
    for text, where in texts:
        for line, address in awaited(text):
            if address.host not in seen and (why := _unreachable(scope, service, address)):
                seen.add(address.host)
                at = where if where[0].line else at_source(scope, where[0].path, line)
                others = len(service.project.services) > 1
                severity = None if others or address.host in _USUAL else Severity.WARNING
                message = f"it waits for {_shown(address)} before it starts: {why}"
                yield HOSTS.fail(message, service.name, at, severity=severity)


def _by_code(scope: Scope, service: RunningService) -> Iterator[Finding]:
    """Addresses that the code itself has, where no variable gives another."""
    image, launch = service.image, service.service.launch
    if image is None or image.broken or image.unstarted or image.launch is None or image.launch.name != service.name:
        return
    program = scope.programs.of(image)
    modules = {path: scope.tree.data(path) for path in program.graph.modules if path not in program.graph.later}
    known: KnownTexts = settings_of(modules)
    given = any(each.gives_environment or each.reads_dotenv for path in modules for each in program.graph.effects(path))
    dotted_file = image.files.find(f"{image.workdir.rstrip('/')}/.env") is not None
    for path, data in modules.items():
        for found in addresses(data, known):
            unsure = given or dotted_file or launch.environment_doubt
            if found.variables and (unsure or {*found.variables} & {*launch.environment, *image.environment}):
                continue
            if why := _unreachable(scope, service, found.address):
                otherwise = f", and nothing gives {found.variables[0]}" if found.variables else ""
                message = f"the code connects to {_shown(found.address)}{otherwise}: {why}"
                severity = None if _is_meant(service, found.address) else Severity.WARNING
                yield HOSTS.fail(message, service.name, at_source(scope, path, found.line), severity=severity)


def _is_meant(service: RunningService, address: StoreAddress) -> bool:
    """Whether the project has such a store at all: where it has none, the address may be a sketch."""
    return any(store_of(each.image) in address.kinds for each in service.project.services.values() if not each.build)


def _is_open(service: RunningService) -> bool:
    """Whether more may be reached by name than the project has, or nothing by name at all."""
    node, project = service.node, service.project
    if project.part_of or project.troubles or project.root.get("include") is not None:
        return True
    if node.get("network_mode") is not None or node.get("external_links") is not None:
        return True
    declared = project.root.get("networks")
    for name in _networks(service.service):
        network = declared.get(name) if declared is not None else None
        if network is not None and (network.get("external") is not None or network.get("name") is not None):
            return True
    return False


def _networks(service: ComposeService) -> set[str]:
    node = service.node.get("networks")
    return {*names_in(node)} if node is not None and not node.null else {"default"}


def _names(service: ComposeService, reached: set[str]) -> set[str]:
    """The names that others look a service up by."""
    found = {service.name, text_of(service.node.get("container_name")), text_of(service.node.get("hostname"))}
    given = service.node.get("networks")
    for name, network in (given.mapping or {}).items() if given is not None else ():
        if name in reached:
            found |= {each.text for each in items_of(network.get("aliases"))}
    return {each.lower() for each in found}


def _aliases(node: YamlNode) -> set[str]:
    """Names that a service gives to others itself, or to machines."""
    links = {each.text.rpartition(":")[2] for each in items_of(node.get("links"))}
    given = node.get("extra_hosts")
    hosts = {*(given.mapping or {})} if given is not None else set()
    return links | hosts | {re.split(r"[:=]", each.text)[0] for each in items_of(given)}


def _unreachable(scope: Scope, service: RunningService, address: StoreAddress) -> str:
    """Why nothing answers at an address; empty where something may."""
    if address.host in LOCAL:
        return _local(service, address.kinds)
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", address.host) or address.host.isdigit():
        return ""
    host, mine = address.host.lower(), _networks(service.service)
    others = service.project.services.values()
    meant = [each for each in others if host in _names(each, _networks(each))]
    if not meant and host not in {each.lower() for each in _aliases(service.node)}:
        return _nobody(scope, service, address)
    if not meant or any("network_mode" in (each.node.mapping or {}) for each in meant):
        return ""
    if not any(mine & _networks(each) for each in meant):
        return f"{meant[0].name} is on no network that {service.name} is on"
    return _other_port(meant[0], address)


def _nobody(scope: Scope, service: RunningService, address: StoreAddress) -> str:
    """Why a name means nobody; empty where something else of the tree may go by it."""
    word = re.escape(address.host)
    if owner_elsewhere(scope, address.host, service.service):
        return ""
    named = re.compile(rf"(?m)^[ \t]+{word}:[ \t]*(?:#.*)?$|--name[ =]{word}\b|--network-alias[ =]{word}\b|/etc/hosts")
    files = [path for path in scope.tree.files() if _ELSEWHERE.search(path) and path not in service.project.files]
    if any(named.search(scope.tree.text(path)) for path in files[:_MOST_FILES]):
        return ""
    own = next((each.name for each in service.project.services.values() if store_of(each.image) in address.kinds), "")
    return f"there is no service {address.host}" + (f", but {own}" if own else "")


def _local(service: RunningService, kinds: tuple[StoreKind, ...]) -> str:
    """Why a store is not in the very container; empty where it may be."""
    image = service.image
    if image is None or image.broken or image.base is None:
        return ""
    holders = [each for each in service.project.services.values() if each.build is None]
    holder = next((each for each in holders if store_of(each.image) in kinds), None)
    if holder is None or any(text_of(each.node.get("network_mode")) for each in service.project.services.values()):
        return ""
    programs = "|".join(each.programs for each in kinds)
    said = " ".join([*image.packages, *image.start.words, *(" ".join(each) for each in image.start.ran)])
    steps = " ".join(each.text for each in image.parsed.instructions if each.keyword == "RUN")
    if re.search(programs, said.lower()) or _TUNNELS.search(said.lower()) or _TUNNELS.search(steps.lower()):
        return ""
    servers = re.compile(rf"(?:{programs})[\w.-]*server|supervisor")
    return "" if servers.search(steps) else f"that is the container itself, and {holder.name} is another one"


def _other_port(other: ComposeService, address: StoreAddress) -> str:
    """Why nothing listens at a port: it is the one that the host publishes."""
    store = store_of(other.image) if other.build is None else None
    if store is None or store not in address.kinds or address.port in (None, store.port):
        return ""
    command = other.node.get("command")
    if command is not None or any("PORT" in name for name in other.launch.environment):
        return ""
    ports = other.node.get("ports")
    for item in ports.children() if ports is not None else ():
        parts = item.text.partition("/")[0].split(":")
        if parts[-2:] == [str(address.port), str(store.port)]:
            return f"{address.port} is the host's port, and within the network {other.name} listens at {store.port}"
    return ""


def _shown(address: StoreAddress) -> str:
    return f"{address.host}:{address.port}" if address.port is not None else address.host


def _at(service: RunningService, name: str) -> list[Evidence]:
    given = service.node.get("environment")
    node = (as_mapping(given, "environment") or {}).get(name) if given is not None else None
    return at_node(service, node if node is not None else service.node.get("env_file"), "")
