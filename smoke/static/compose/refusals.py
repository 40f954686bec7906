"""What Compose refuses of a project before it starts anything: unknown keys, wrong forms, undeclared names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from smoke.static.compose.document import YamlNode
from smoke.static.compose.hostports import taken_twice
from smoke.static.compose.image_name import unreadable
from smoke.static.compose.mounted import missing_mounts
from smoke.static.generated import made_beforehand
from smoke.static.regex import regex
from smoke.tree import Tree

_SERVICE = frozenset(
    [
        "annotations",
        "attach",
        "blkio_config",
        "build",
        "cap_add",
        "cap_drop",
        "cgroup",
        "cgroup_parent",
        "command",
        "configs",
        "container_name",
        "cpu_count",
        "cpu_percent",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpu_shares",
        "cpus",
        "cpuset",
        "credential_spec",
        "depends_on",
        "deploy",
        "develop",
        "device_cgroup_rules",
        "devices",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "extends",
        "external_links",
        "extra_hosts",
        "gpus",
        "group_add",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "ipc",
        "isolation",
        "label_file",
        "labels",
        "links",
        "logging",
        "mac_address",
        "mem_limit",
        "mem_reservation",
        "mem_swappiness",
        "memswap_limit",
        "models",
        "network_mode",
        "networks",
        "oom_kill_disable",
        "oom_score_adj",
        "pid",
        "pids_limit",
        "platform",
        "ports",
        "post_start",
        "pre_stop",
        "privileged",
        "profiles",
        "provider",
        "pull_policy",
        "pull_refresh_after",
        "read_only",
        "restart",
        "runtime",
        "scale",
        "secrets",
        "security_opt",
        "shm_size",
        "stdin_open",
        "stop_grace_period",
        "stop_signal",
        "storage_opt",
        "sysctls",
        "tmpfs",
        "tty",
        "ulimits",
        "use_api_socket",
        "user",
        "userns_mode",
        "uts",
        "volume_driver",
        "volumes",
        "volumes_from",
        "working_dir",
    ]
)
_BUILD = frozenset(
    [
        "additional_contexts",
        "args",
        "cache_from",
        "cache_to",
        "context",
        "dockerfile",
        "dockerfile_inline",
        "entitlements",
        "extra_hosts",
        "isolation",
        "labels",
        "network",
        "no_cache",
        "no_cache_filter",
        "platforms",
        "privileged",
        "provenance",
        "pull",
        "sbom",
        "secrets",
        "shm_size",
        "ssh",
        "tags",
        "target",
        "ulimits",
    ]
)
_HEALTH = frozenset(["disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"])
_ROOT = frozenset(["configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes"])
_DURATION = regex(r"0|(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+")
_NUMBERS = r"\d{1,5}(?:-\d{1,5})?"
_PORT = regex(rf"(?:(?:(?:[\d.]+|\[[\da-fA-F:]+\]|localhost):)?(?:{_NUMBERS})?:)?{_NUMBERS}(?:/(?:tcp|udp|sctp))?")
_CLOSE = 0.75
"""How alike an unknown key and a known one are for it to be a misspelling: others may be of a Compose to come."""


_RESTART = regex(r"no|false|always|unless-stopped|on-failure(?::\d+)?")
_CONDITIONS = frozenset({"service_started", "service_healthy", "service_completed_successfully"})


class ComposeRefusal(NamedTuple):
    """One thing that Compose refuses, and where it stands."""

    node: YamlNode
    message: str


def refused(tree: Tree, root: YamlNode, services: dict[str, YamlNode], directory: str) -> Iterator[ComposeRefusal]:
    """What Compose says of a project whose files are put together."""
    yield from _misspelled(root, _ROOT, "the file")
    for name, node in services.items():
        yield from _misspelled(node, _SERVICE, name)
        if (build := node.get("build")) is not None:
            yield from _misspelled(build, _BUILD, f"build of {name}")
        yield from _health(node.get("healthcheck"), name)
        yield from _ports(node.get("ports"), name)
        yield from _declared(root, node, name)
        yield from _others(node, name, services)
        yield from _words(node, name)
        yield from _image(node, name)
        yield from _replicas(node, name)
        yield from _mixed(node, name)
        yield from _sizes(node, name)
        yield from _contexts(tree, node, name, directory)
    yield from (ComposeRefusal(node, message) for node, message in taken_twice(services))
    yield from _named_twice(services)
    yield from _cycle(services)
    yield from _files_of_secrets(tree, root, services, directory)
    yield from (ComposeRefusal(node, message) for node, message in missing_mounts(tree, services, directory))


def _misspelled(node: YamlNode, known: frozenset[str], where: str) -> Iterator[ComposeRefusal]:
    for key, value in (node.mapping or {}).items():
        if key in known or key.startswith("x-"):
            continue
        near = get_close_matches(key, known, 1, _CLOSE)
        if near:
            yield ComposeRefusal(value if value.line else node, f"{where} has no key {key}: {near[0]} is one")


def _health(node: YamlNode | None, name: str) -> Iterator[ComposeRefusal]:
    if node is None:
        return
    yield from _misspelled(node, _HEALTH, f"healthcheck of {name}")
    test = node.get("test")
    if test is not None and test.items:
        first = test.items[0].text
        if first not in ("CMD", "CMD-SHELL", "NONE") and "$" not in first:
            message = f"healthcheck.test of {name} begins with {first[:40]}: a list begins with CMD, CMD-SHELL or NONE"
            yield ComposeRefusal(test, message)
    for key in ("interval", "timeout", "start_period", "start_interval"):
        value = node.get(key)
        if value is not None and value.text and "$" not in value.text and not _DURATION.fullmatch(value.text):
            message = f"healthcheck.{key} of {name} is {value.text[:40]}, which is not a duration such as 10s"
            yield ComposeRefusal(value, message)


def _ports(node: YamlNode | None, name: str) -> Iterator[ComposeRefusal]:
    for item in node.children() if node is not None else ():
        if item.mapping is None and "$" not in item.text and not _PORT.fullmatch(item.text):
            yield ComposeRefusal(item, f"{name} publishes {item.text[:40]}, which is not a port")
        elif item.mapping is None and "$" not in item.text and "[" not in item.text:
            large = next(
                (each for each in re.findall(r"(?<![\d.])\d{5,}(?![\d.])", item.text) if int(each) > 65_535), ""
            )
            if large:
                yield ComposeRefusal(item, f"{name} publishes {item.text[:40]}: {large} is more than 65535")


def _image(node: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    image = node.get("image")
    if image is not None and (why := unreadable(image.text)):
        yield ComposeRefusal(image, f"the image of {name} is {image.text[:60]}: {why}")


def _replicas(node: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    """Several containers of a service, which cannot have one name, or one port of the host.

    A swarm minds neither, and `deploy` may be meant for one."""
    scale = node.get("scale")
    told = scale or node.get("deploy", "replicas")
    count = int(told.text) if told is not None and re.fullmatch(r"\d{1,4}", told.text) else 1
    if told is None or count < 2:
        return
    if (given := node.get("container_name")) is not None:
        yield ComposeRefusal(given, f"{name} has {count} containers, which cannot all be named {given.text[:60]}")
    ports = node.get("ports")
    for item in ports.children() if ports is not None and scale is not None else ():
        if item.mapping is None and re.fullmatch(r"(?:[\d.]+:)?\d+:\d+(?:/\w+)?", item.text):
            yield ComposeRefusal(item, f"{name} has {count} containers, which cannot all publish {item.text}")


def _mixed(node: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    """Lists of `NAME=VALUE` with a mapping among them: `- NAME: VALUE`."""
    for key in ("environment", "labels"):
        for item in (given.items or []) if (given := node.get(key)) is not None else []:
            if item.mapping is not None:
                shown = next(iter(item.mapping), "")
                yield ComposeRefusal(
                    item, f"{key} of {name} is a list, and {shown[:40]} in it is a mapping: write {shown[:40]}="
                )


def _words(node: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    """Values that are one of a few words."""
    restart = node.get("restart")
    if restart is not None and restart.text and "$" not in restart.text and not _RESTART.fullmatch(restart.text):
        yield ComposeRefusal(restart, f"restart of {name} is {restart.text[:40]}, which Docker does not know")
    for other, item in _names(node.get("depends_on")):
        condition = item.get("condition") if item.mapping is not None else None
        if condition is not None and "$" not in condition.text and condition.text not in _CONDITIONS:
            yield ComposeRefusal(
                condition, f"{name} waits for {other} to be {condition.text[:40]}, which is not a condition"
            )


def _contexts(tree: Tree, node: YamlNode, name: str, directory: str) -> Iterator[ComposeRefusal]:
    """Further contexts of a build that are directories of the tree are there."""
    build = node.get("build")
    given = build.get("additional_contexts") if build is not None else None
    for key, value in (given.mapping or {}).items() if given is not None else ():
        path = posixpath.normpath(posixpath.join(directory, value.text))
        plain = re.fullmatch(r"\.{1,2}/[\w./-]*", value.text) is not None and not path.startswith("..")
        there = path == "." or tree.is_directory(path) or tree.is_file(path)
        if plain and not there and not made_beforehand(tree, path):
            yield ComposeRefusal(value, f"the context {key} of {name} is in {value.text}, which is not there")


def _sizes(node: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    """Sizes of memory, numbers of processors and times that are none."""
    for pattern, keys, what in _KINDS:
        for key in keys:
            value: YamlNode | None = node
            for part in key.split("."):
                value = value.get(part) if value is not None else None
            if value is not None and value.text and "$" not in value.text and not pattern.fullmatch(value.text):
                yield ComposeRefusal(value, f"{key} of {name} is {value.text[:40]}, which is not {what}")


_SIZE = regex(r"-?\d+(?:\.\d+)?\s*(?:[kmgtp]i?b?|b)?", re.IGNORECASE)
_KINDS = (
    (_SIZE, ("mem_limit", "mem_reservation", "memswap_limit", "shm_size", "deploy.resources.limits.memory"), "a size"),
    (regex(r"\d*\.?\d+"), ("cpus", "deploy.resources.limits.cpus"), "a number"),
    (_DURATION, ("stop_grace_period",), "a duration such as 10s"),
    (
        regex(r"true|false|yes|no|on|off|null|~", re.IGNORECASE),
        ("read_only", "privileged", "init", "tty"),
        "true or false",
    ),
)


def _names(node: YamlNode | None) -> Iterator[tuple[str, YamlNode]]:
    if node is None:
        return
    if node.mapping is not None:
        yield from node.mapping.items()
        return
    for item in node.children():
        source = item.get("source") if item.mapping is not None else item
        if source is not None:
            yield source.text, item


def _declared(root: YamlNode, service: YamlNode, name: str) -> Iterator[ComposeRefusal]:
    """Secrets and configs that a service uses are declared."""
    for what in ("secrets", "configs"):
        known = root.get(what)
        for used, item in _names(service.get(what)):
            if "$" not in used and used and used not in ((known.mapping or {}) if known is not None else {}):
                yield ComposeRefusal(item, f"{name} uses the {what[:-1]} {used}, which is not declared")


def _others(node: YamlNode, name: str, services: dict[str, YamlNode]) -> Iterator[ComposeRefusal]:
    """Other services that a service names, and what it cannot have besides."""
    for link, item in _names(node.get("links")):
        if "$" not in link and link.partition(":")[0] not in services:
            yield ComposeRefusal(item, f"{name} links to {link.partition(':')[0]}, which is not a service")
    for volumes, item in _names(node.get("volumes_from")):
        if "$" not in volumes and not volumes.startswith("container:") and volumes.partition(":")[0] not in services:
            yield ComposeRefusal(item, f"{name} takes volumes from {volumes.partition(':')[0]}, which is not a service")
    for key in ("network_mode", "ipc", "pid"):
        value = node.get(key)
        kind, _, other = ("" if value is None else value.text).partition(":")
        if value is not None and kind == "service" and "$" not in other and other not in services:
            yield ComposeRefusal(value, f"{key} of {name} names {other}, which is not a service")
    mode, networks = node.get("network_mode"), node.get("networks")
    if mode is not None and mode.text and networks is not None and not networks.null:
        yield ComposeRefusal(mode, f"{name} has network_mode and networks: Compose takes one of them")


def _named_twice(services: dict[str, YamlNode]) -> Iterator[ComposeRefusal]:
    """Two services that are started together and whose containers have one name."""
    holders: dict[str, str] = {}
    for name, service in services.items():
        given = service.get("container_name")
        if given is None or "$" in given.text or not given.text or service.get("profiles") is not None:
            continue
        held = holders.setdefault(given.text, name)
        if held != name:
            yield ComposeRefusal(given, f"the containers of {name} and {held} are both to be named {given.text}")


def _cycle(services: dict[str, YamlNode]) -> Iterator[ComposeRefusal]:
    """Services that wait for each other."""
    waits = {name: [each for each, _ in _names(node.get("depends_on"))] for name, node in services.items()}
    clear: set[str] = set()
    for first in waits:
        path: list[str] = []
        pending = [(first, 0)]
        while pending:
            name, depth = pending.pop()
            del path[depth:]
            if name in path:
                circle = [*path[path.index(name) :], name]
                yield ComposeRefusal(services[name], f"these wait for each other: {' -> '.join(circle)}")
                return
            if name in clear:
                continue
            path.append(name)
            pending += [(each, depth + 1) for each in waits.get(name, ()) if each in waits]
        clear |= {*path}


def _files_of_secrets(
    tree: Tree, root: YamlNode, services: dict[str, YamlNode], directory: str
) -> Iterator[ComposeRefusal]:
    """Files of secrets and configs that services use are there, unless everyone makes their own."""
    for what in ("secrets", "configs"):
        in_use = {used for node in services.values() for used, _ in _names(node.get(what))}
        declared = root.get(what)
        for name, node in ((declared.mapping or {}) if declared is not None else {}).items():
            file = node.get("file")
            if file is None or name not in in_use or "$" in file.text or file.text.startswith(("/", "~")):
                continue
            path = posixpath.normpath(posixpath.join(directory, file.text))
            if path.startswith("..") or tree.is_file(path) or tree.is_directory(path) or made_beforehand(tree, path):
                continue
            if any(tree.is_file(f"{path}{end}") for end in (".example", ".sample", ".template", ".dist")):
                continue
            yield ComposeRefusal(file, f"the {what[:-1]} {name} is in {file.text}, which is not there")
