"""`nginx.upstreams`: every host that nginx passes requests to is one that it can look up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.finding import Evidence, Finding, excerpt
from smoke.static.checks.nginx.rules import UPSTREAMS
from smoke.static.compose.document import text_of
from smoke.static.compose.project import ComposeProject, names_in
from smoke.static.compose.service import ComposeService
from smoke.static.regex import regex
from smoke.static.scope import Scope

_PASSED = regex(
    r"(?:proxy_pass\s+https?://|grpc_pass\s+grpcs?://|(?:fastcgi|scgi|memcached)_pass\s+|uwsgi_pass\s+(?:s?uwsgi://)?)([^\s;/]+)"
)
_UPSTREAM = regex(r"\bupstream\s+([\w.-]+)\s*\{([^}]*)\}")
_MEMBER = regex(r"(?m)^\s*server\s+([^\s;]+)([^;]*);")
_HOST = regex(r"[A-Za-z][\w-]*")


def lookups_are_open(project: ComposeProject) -> bool:
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


def judge_upstreams(
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
