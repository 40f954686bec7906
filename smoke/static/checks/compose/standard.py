"""What well-known public images refuse to start without: passwords, licenses, commands, the file that they are told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.finding import Finding, Severity
from smoke.static.checks.compose.rules import SERVICES
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.image_name import hub_repository
from smoke.static.compose.stores import address_of


class _Wanted(Struct, frozen=True):
    """Variables of which an image wants one."""

    names: tuple[str, ...]
    programs: frozenset[str]
    """First words of a command with which it still does what it is for."""


def _with_files(*names: str) -> tuple[str, ...]:
    return (*names, *(f"{each}_FILE" for each in names))


_POSTGRES = _Wanted((*_with_files("POSTGRES_PASSWORD"), "POSTGRES_HOST_AUTH_METHOD"), frozenset(["postgres"]))
_MYSQL_NAMES = (
    *_with_files("MYSQL_ROOT_PASSWORD"),
    "MYSQL_ALLOW_EMPTY_PASSWORD",
    "MYSQL_RANDOM_ROOT_PASSWORD",
)
_MARIADB_NAMES = (
    *_MYSQL_NAMES,
    *_with_files("MARIADB_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD_HASH"),
    *["MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "MARIADB_ALLOW_EMPTY_PASSWORD", "MARIADB_RANDOM_ROOT_PASSWORD"],
    "MYSQL_ALLOW_EMPTY_ROOT_PASSWORD",
)
_NONE = frozenset[str]()
_WANTED = {
    **dict.fromkeys(
        ("postgres", "postgis/postgis", "timescale/timescaledb", "pgvector/pgvector", "ankane/pgvector"), _POSTGRES
    ),
    **dict.fromkeys(("mysql", "percona"), _Wanted(_MYSQL_NAMES, frozenset(["mysqld"]))),
    "mariadb": _Wanted(_MARIADB_NAMES, frozenset(["mysqld", "mariadbd"])),
    "bitnami/postgresql": _Wanted(
        (*_with_files("POSTGRESQL_PASSWORD", "POSTGRES_PASSWORD"), "ALLOW_EMPTY_PASSWORD"), _NONE
    ),
    "bitnami/redis": _Wanted((*_with_files("REDIS_PASSWORD"), "ALLOW_EMPTY_PASSWORD"), _NONE),
    "mcr.microsoft.com/mssql/server": _Wanted(("ACCEPT_EULA",), _NONE),
    "confluentinc/cp-zookeeper": _Wanted(("ZOOKEEPER_CLIENT_PORT", "ZOOKEEPER_SECURE_CLIENT_PORT"), _NONE),
    "confluentinc/cp-kafka": _Wanted(("KAFKA_ADVERTISED_LISTENERS",), _NONE),
}
"""Images that end at once without one of these variables, by their own entry scripts (November 2026)."""
_COMMANDED = {
    "minio/minio": "server and a directory",
    "quay.io/minio/minio": "server and a directory",
    "quay.io/keycloak/keycloak": "start-dev, or start",
}
"""Images that print their help and end where no command is given."""


def judge_standard(service: RunningService) -> Iterator[Finding]:
    own = service.service
    if own.launch.entrypoint is not None or service.project.part_of:
        return
    kind = _kind(service)
    if kind in ("redis", "valkey/valkey") and own.build is None:
        yield from _configuration(service)
    if kind in _WANTED:
        yield from _lacking(service, _WANTED[kind], kind)
    if kind == "nginx" and own.build is None:
        yield from _unwritable(service)
    if kind in _COMMANDED and own.build is None and not own.launch.command:
        message = f"{own.image} is not told what to do, so it prints its help and ends: it takes {_COMMANDED[kind]}"
        yield SERVICES.fail(message, service.name, at_node(service, service.node.get("image")))


def _kind(service: RunningService) -> str:
    """The public image that it is, or that the tree only adds files to; empty for all others."""
    image = service.image
    if service.service.build is None:
        return hub_repository(service.service.image)
    if image is None or image.broken or image.final is None or len(image.stages.stages) != 1:
        return ""
    told = {"ENTRYPOINT", "CMD", "ONBUILD"} & {each.keyword for each in image.final.instructions}
    return "" if told or "$" in image.base_reference else hub_repository(image.base_reference)


def _lacking(service: RunningService, wanted: _Wanted, kind: str) -> Iterator[Finding]:
    """A variable that the image ends without."""
    launch = service.service.launch
    own = service.image.environment if service.image is not None else {}
    word = (launch.command or ("-",))[0]
    if launch.environment_doubt or not (word.startswith("-") or word in wanted.programs):
        return
    given = {*launch.environment, *own}
    if not {*wanted.names} & given:
        message = f"{kind} ends at once without {wanted.names[0]}"
        severity = None if _is_used(service) else Severity.WARNING
        at = at_node(service, service.node.get("environment"))
        yield SERVICES.fail(message, service.name, at, severity=severity)
    elif launch.environment.get("MYSQL_USER") == "root":
        message = f"{kind} ends at once where MYSQL_USER is root, which it has already"
        yield SERVICES.fail(message, service.name, at_node(service, service.node.get("environment")))


def _unwritable(service: RunningService) -> Iterator[Finding]:
    """nginx makes its directories of temporary files as it starts, and may not."""
    launch = service.service.launch
    configured = any(each.target.startswith("/etc/nginx") and "conf.d" not in each.target for each in launch.mounts)
    covered = any(each.target.rstrip("/") in ("/var/cache/nginx", "/var/cache", "/var") for each in launch.mounts)
    user = (launch.user or "0").partition(":")[0]
    if configured or covered or "$" in user or (not launch.read_only and user in ("0", "root")):
        return
    reason = "its file system is read-only" if launch.read_only else f"the user {user} may not write there"
    message = f"nginx makes its temporary files in /var/cache/nginx as it starts, and {reason}"
    yield SERVICES.fail(
        message, service.name, at_node(service, service.node.get("read_only" if launch.read_only else "user"))
    )


def _is_used(service: RunningService) -> bool:
    """Whether someone has set it up, or another service is told of it: a database that stands there bare may be a
    sketch that whoever runs it completes."""
    if service.service.launch.environment or service.service.build is not None:
        return True
    for other in service.project.services.values():
        values = other.launch.environment
        told = (address_of(name, values) for name in values)
        if any(each is not None and each.host == service.name for each in told):
            return True
    return False


def _configuration(service: RunningService) -> Iterator[Finding]:
    launch = service.service.launch
    told = [each for each in launch.command or () if re.fullmatch(r"/[\w./-]+\.conf", each)][:1]
    for place in told:
        if not any(place == each.target or place.startswith(f"{each.target.rstrip('/')}/") for each in launch.mounts):
            if service.node.get("configs") is not None or service.node.get("secrets") is not None:
                return
            message = f"it is told to read {place}, which its image does not have and nothing mounts"
            yield SERVICES.fail(message, service.name, at_node(service, service.node.get("command")))
