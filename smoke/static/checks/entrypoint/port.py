"""`entrypoint.app`: it serves at the port that everyone expects."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.model.image import Image
from smoke.static.model.servers.served import LOOPBACK
from smoke.static.python.program import LoadedProgram
from smoke.static.python.serving import Local
from smoke.static.python.source import Source

APP = Check(
    "entrypoint.app",
    Severity.CRITICAL,
    "there is something to serve, at the port that everyone expects",
    "The container ends at once, or runs and nobody reaches it.",
    "Serve at the port that EXPOSE, the health check and the manifest agree on.",
)
_SERVES = frozenset({"run", "serve", "run_app", "start_server"})
"""Calls that serve, whatever else has a port."""


def judge_port(program: LoadedProgram, entry: Source, where: list[Evidence]) -> Iterator[Finding]:
    image, graph = program.image, program.graph
    name, service, start = image.service.name, image.service, image.start
    exposed = set(image.ports)
    at_command = [Evidence(start.file or image.dockerfile, start.line, excerpt(" ".join(start.words)))]
    if service.port is not None and exposed and service.port not in exposed:
        at = [Evidence(image.dockerfile, image.ports_line)]
        yield APP.fail(f"EXPOSE says {min(exposed)}, and the manifest says {service.port}", name, at)
        return
    expected, reached = expected_ports(image)
    if start.proxied:
        yield APP.skip("its entry script starts a proxy, which may stand in front of it", name, where)
        return
    if reached and start.host in LOOPBACK:
        yield unreachable(start.host, start.server or "it", name, at_command)
        return
    bound: set[tuple[int, str, int]] = set()
    if start.port is not None:
        bound = {(start.port, "", 0)}
    elif not start.server:
        bound = {
            (value, source.path, line)
            for source in graph.modules.values()
            for line, called, keywords in source.calls
            if image.ports or service.port is not None or called.rpartition(".")[2] in _SERVES
            for value in _ports_of(keywords)
        }
        local = _loopback(image, entry, expected)
        if expected and local is not None:
            yield unreachable("127.0.0.1", local.called, name, [Evidence(entry.path, local.line)])
            return
    if not bound and expected & {*entry.ports, *_named_ports(entry)}:
        yield APP.passed(f"{entry.path} names the port {min(expected)}", name, where)
    elif not expected or not bound or (start.server and start.port is None):
        yield APP.skip("the port that it binds to cannot be told from its source", name, where)
    elif not {value for value, _, _ in bound} & expected:
        value, path, line = min(bound)
        at = [Evidence(path, line)] if path else at_command
        yield APP.fail(f"it binds to {value}, and {min(expected)} is expected", name, at)
    else:
        yield APP.passed(f"it serves at {min(expected)}", name, where)


def expected_ports(image: Image) -> tuple[set[int], set[int]]:
    """The ports that it has to serve, and those at which someone from outside asks."""
    service, start = image.service, image.start
    published = {*image.launch.published} if image.launch is not None and not image.ports else set()
    expected = {service.port} if service.port is not None else set() if start.file else {*image.ports} or published
    return expected, expected or ({*image.ports} or published if start.file else set())


def unreachable(host: str, server: str, name: str, at: list[Evidence]) -> Finding:
    message = f"{server} listens at {host}, which only the container itself reaches"
    return APP.fail(message, name, at, remedy="Let it listen at 0.0.0.0.")


def _loopback(image: Image, entry: Source, expected: set[int]) -> Local | None:
    """A call of the script itself that serves what is expected at the container's own loopback address."""
    for each in entry.local:
        told = any(name in image.environment for name in each.variables)
        if not told and (each.port is None or each.port in expected):
            return each
    return None


def _named_ports(entry: Source) -> set[int]:
    return {number for key, number in entry.numbers.items() if "port" in key.lower()}


def _ports_of(keywords: dict[str, object]) -> Iterator[int]:
    for key in ("port", "bind"):
        value = keywords.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
            yield value
        elif isinstance(value, str) and value.rpartition(":")[2].isdigit() and len(value.rpartition(":")[2]) < 6:
            yield int(value.rpartition(":")[2])
