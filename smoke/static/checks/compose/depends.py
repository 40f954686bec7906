"""`compose.depends`: what is depended on exists, and can become what is waited for."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.finding import Finding
from smoke.static.checks.compose.elsewhere import owner_elsewhere
from smoke.static.checks.compose.rules import DEPENDS
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.document import items_of, text_of
from smoke.static.compose.image_name import hub_repository
from smoke.static.compose.project import names_in
from smoke.static.compose.service import ComposeService
from smoke.static.compose.stores import store_of
from smoke.static.scope import Scope

_NO_HEALTH = frozenset(
    [
        *["postgres", "redis", "mysql", "mariadb", "mongo", "rabbitmq", "nginx", "memcached", "busybox", "alpine"],
        *["debian", "ubuntu", "python", "node", "valkey/valkey", "traefik", "minio/minio", "caddy", "httpd"],
    ]
)
"""Public images that have no health check of their own."""


def judge_depends(scope: Scope, service: RunningService) -> Iterator[Finding]:
    node = service.node.get("depends_on")
    if node is None:
        return
    others = service.project.services
    wanted = names_in(node)
    failed = False
    for name, how in wanted.items():
        other = others.get(name)
        optional = text_of(how.get("required")) == "false"
        if other is None and optional:
            continue  # Compose only warns
        if other is None:
            failed = True
            if elsewhere := owner_elsewhere(scope, name, service.service):
                yield DEPENDS.skip(f"{name} is a service of {elsewhere}", service.name, at_node(service, how, name))
            else:
                yield DEPENDS.fail(f"there is no service {name}", service.name, at_node(service, how, name))
        elif items_of(other.node.get("profiles")) and not items_of(service.node.get("profiles")) and not optional:
            failed = True
            message = f"it depends on {name}, which only a profile starts"
            yield DEPENDS.fail(message, service.name, at_node(service, how, name))
        elif text_of(how.get("condition")) == "service_healthy" and _never_healthy(service, other):
            failed = True
            message = f"it waits for {name} to be healthy, which has no health check"
            yield DEPENDS.fail(message, service.name, at_node(service, how, name))
        elif text_of(how.get("condition")) == "service_completed_successfully" and (why := _never_ends(service, other)):
            failed = True
            message = f"it waits for {name} to end, which {why}"
            yield DEPENDS.fail(message, service.name, at_node(service, how, name))
    if not failed:
        yield DEPENDS.passed(f"it waits for {', '.join(wanted)}", service.name, at_node(service, node))


_SERVERS = frozenset(
    [
        *["uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "flask", "quart"],
        *["fastapi", "streamlit", "celery", "mkdocs", "sanic", "litestar"],
    ]
)


def _never_ends(service: RunningService, other: ComposeService) -> str:
    """Why a service surely runs on, as a clause: it is a server; empty when it may end."""
    if other.launch.command is not None or other.launch.entrypoint is not None:
        return ""
    if other.build is None:
        return "is a server" if store_of(other.image) is not None else ""
    image = service.images.get(other.name)
    alike = image is not None and (
        image.launch is None or (image.launch.command, image.launch.entrypoint) == (None, None)
    )
    served = image is not None and alike and not image.start.trouble and image.start.server in _SERVERS
    return f"runs {image.start.server}" if image is not None and served else ""


def _never_healthy(service: RunningService, other: ComposeService) -> bool:
    """Whether a service surely has no health check: it sets none, and its image has none."""
    test = other.node.get("healthcheck", "test")
    if text_of(other.node.get("healthcheck", "disable")) == "true":
        return True
    if test is not None:
        return text_of(test) == "NONE" or [item.text for item in items_of(test)][:1] == ["NONE"]
    if other.build is None:
        return hub_repository(other.image) in _NO_HEALTH
    image = service.images.get(other.name)
    return (
        image is not None
        and not image.broken
        and image.base is not None
        and (image.health is None or image.health.disabled)
    )
