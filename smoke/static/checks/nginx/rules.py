"""The checks of nginx: what each is about, why it matters and what to do."""

from __future__ import annotations

from smoke.check import Check
from smoke.finding import Severity

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
LISTENS = Check(
    "nginx.ports",
    Severity.CRITICAL,
    "nginx listens at the ports that Compose publishes",
    "Nobody reaches it.",
    "Publish the port of its listen directive.",
)
FILES = Check(
    "nginx.files",
    Severity.CRITICAL,
    "the certificates that nginx is told of are there",
    "nginx ends at once: it cannot load the certificate.",
    "Mount the certificate and its key, or correct their paths.",
)
GRAMMAR = Check(
    "nginx.grammar",
    Severity.CRITICAL,
    "nginx can read its configurations: directives end, and braces pair",
    "nginx ends at once: it tests its configuration first.",
    "Write the `;` or the brace; `nginx -t` reads it as nginx does.",
)
PASSING = Check(
    "nginx.passing",
    Severity.CRITICAL,
    "what nginx passes requests to listens at the port that it is asked at",
    "nginx answers every request with 502 Bad Gateway.",
    "Write the port at which the service listens within the network.",
)
CHECKS = (UPSTREAMS, USER, LISTENS, FILES, GRAMMAR, PASSING)
