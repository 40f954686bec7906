"""`nginx.ports`: nginx listens at the ports that Compose publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from smoke.finding import Evidence, Finding
from smoke.static.checks.nginx.rules import LISTENS
from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.model.launch import MountKind
from smoke.static.regex import regex

_LISTEN = regex(r"(?m)^\s*listen\s+([^;]+);")
_PORT = regex(r"(?:[\w.*-]+:|\[[\w:]+\]:)?(\d{1,5})")
_OWN = "/etc/nginx/conf.d/default.conf"


def listening(texts: Mapping[str, str], targets: Mapping[str, str]) -> set[int]:
    """The ports of all servers; nothing where they cannot be told.

    `targets`: where nginx has each of the files, by their path in the tree."""
    whole = "\n".join(texts.values())
    found: set[int] = set()
    for told in _LISTEN.findall(whole):
        first = told.split()[0]
        match = _PORT.fullmatch(first)
        if match is None and not first.startswith("unix:"):
            return set()
        found |= {int(match[1])} if match is not None else set()
    if len(re.findall(r"\bserver\s*\{", whole)) > len(_LISTEN.findall(whole)):
        found.add(80)
    main = next((path for path, target in targets.items() if target == "/etc/nginx/nginx.conf"), "")
    included = "conf.d" in texts.get(main, "conf.d")
    if re.search(r"\binclude\s+(?!\S*(?:conf\.d|mime\.types|_params|modules-enabled))", whole):
        return set()
    return found | ({80} if included and _OWN not in targets.values() else set())


def judge_listening(
    service: ComposeService, image: Image | None, texts: Mapping[str, str], targets: Mapping[str, str]
) -> Iterator[Finding]:
    """Published ports of a service that nginx is."""
    steps = [each.text for each in image.parsed.instructions if each.keyword == "RUN"] if image is not None else []
    mounts = [each for each in service.launch.mounts if f"{each.target}/".startswith("/etc/nginx/")]
    unsure = any(each.kind is not MountKind.TREE or "templates" in each.target for each in mounts)
    if unsure or any("nginx" in step for step in steps) or service.launch.command or service.launch.entrypoint:
        return
    found, published = listening(texts, targets), service.launch.published
    if found and published and not found & published:
        numbers = ", ".join(map(str, sorted(found)))
        message = f"{min(published)} of it is published, and nginx listens at {numbers}"
        yield LISTENS.fail(message, service.name, [Evidence(path) for path in texts])
    elif found and published:
        yield LISTENS.passed(f"nginx listens at {min(found & published)}, which is published", service.name)
