"""A node whose dependencies go and come back: what it says, and that nothing is lost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from harness.live.chain import height
from harness.live.dependencies import Consul, Dependency, MongodDependency, RedisDependency
from harness.live.surviving import AWAY_S, CHUNK_BYTES, goes_on, put
from smoke.check import Check
from smoke.finding import Finding, Severity
from smoke.live.failure import LiveError
from smoke.live.node import Make, Node

PHASE1 = Check(
    "live.phase1",
    Severity.CRITICAL,
    "MongoDB, Redis and the service mesh are used as configured, and a stop of each is survived",
    "The node fails with the first dependency that does.",
    "Look at how the service waits for its store.",
)
STOP_S = 10.0
CACHED_BYTES = 64 << 10
"""A chunk that a service may keep in its cache: large ones are streamed from the disk."""


def depend(
    make: Make, programs: Mapping[type[Dependency], str | None], folder: Path, start_s: float, token: str
) -> Iterator[Finding]:
    """Run a node on all dependencies that can be had here, and take each away and back."""
    for kind, program in programs.items():
        if program is None:
            yield PHASE1.skip(f"there is no program for {kind.name} on the PATH, and none was named")
    here = {kind: program for kind, program in programs.items() if program is not None}
    if not here:
        return
    (folder / "node").mkdir(parents=True)
    running: dict[type[Dependency], Dependency] = {}
    with ExitStack() as stack:

        def needs(address: str) -> dict[str, str]:
            settings: dict[str, str] = {}
            for kind, program in here.items():
                running[kind] = stack.enter_context(kind(program, folder / kind.__name__.lower(), address))
                settings |= running[kind].settings()
            return settings

        node = stack.enter_context(make(folder / "node", needs))
        for service in node.services:
            node.start(service)
        node.await_health(node.services, "healthy", start_s)
        names = ", ".join(f"{kind.name} ({program})" for kind, program in here.items())
        yield PHASE1.passed(f"all four {node.kind} are healthy on {names}")
        if MongodDependency in running:
            yield from _without_mongodb(node, running[MongodDependency], start_s)
        if RedisDependency in running:
            yield from _without_redis(node, running[RedisDependency], start_s, token)
        if isinstance(consul := running.get(Consul), Consul):
            yield from _without_consul(node, consul, start_s, token)
            yield _leaves(node, consul, start_s)


def _without_mongodb(node: Node, mongod: Dependency, start_s: float) -> Iterator[Finding]:
    before = height(node)
    mongod.stop()
    node.await_health(["manager"], "degraded", AWAY_S)
    yield PHASE1.passed("degraded, with the reason, while MongoDB is stopped", "manager")
    mongod.start()
    node.await_health(node.services, "healthy", start_s + 30)
    yield goes_on(PHASE1, node, before, "healthy again after MongoDB was back")


def _without_redis(node: Node, redis: Dependency, start_s: float, token: str) -> Iterator[Finding]:
    data = secrets.token_bytes(CACHED_BYTES)
    stored = put(node, token, data)
    where = f"/chunks/{stored.json()['id']}" if stored is not None and stored.status_code == 201 else ""
    for _ in range(2):
        node.ask("data", where)
    metrics = node.ask("data", "/metrics")
    hits = (
        [] if metrics is None else [line for line in metrics.text.splitlines() if line.startswith("lucid_cache_hits")]
    )
    if hits and float(hits[0].split()[-1]) > 0:
        yield PHASE1.passed("a chunk that is read again comes from Redis", "data")
    else:
        yield PHASE1.fail(f"a chunk that is read again does not come from Redis ({hits})", "data")
    redis.stop()
    node.await_health(["data"], "degraded", AWAY_S)
    got = node.ask("data", where)
    if got is not None and got.content == data:
        yield PHASE1.passed("degraded, with the reason, and serves its chunks, while Redis is stopped", "data")
    else:
        yield PHASE1.fail("a chunk cannot be read while Redis is stopped", "data")
    redis.start()
    node.await_health(node.services, "healthy", start_s)
    yield PHASE1.passed("all four are healthy again when Redis is back")


def _without_consul(node: Node, consul: Consul, start_s: float, token: str) -> Iterator[Finding]:
    version = consul.version()
    _await_passing(node, consul)
    yield PHASE1.passed(f"all four pass the health checks of Consul's agent, whose version is {version!r} by its word")
    consul.stop()
    for service, answer in node.await_health(node.services, "degraded", AWAY_S).items():
        if any(reason.startswith("consul") for reason in answer.get("reasons", ())):
            yield PHASE1.passed("degraded, with the reason, while Consul is stopped", service)
        else:
            yield PHASE1.fail(f"it does not say that Consul is stopped: {answer}", service)
    before = height(node)
    data = secrets.token_bytes(CHUNK_BYTES)
    stored = put(node, token, data)
    got = None if stored is None or stored.status_code != 201 else node.ask("data", f"/chunks/{stored.json()['id']}")
    if got is not None and got.content == data:
        yield PHASE1.passed("a chunk is stored and read while Consul is stopped", "data")
    else:
        yield PHASE1.fail("a chunk cannot be stored and read while Consul is stopped", "data")
    yield goes_on(PHASE1, node, before, "Consul is stopped")
    consul.start()
    node.await_health(node.services, "healthy", start_s)
    _await_passing(node, consul)
    yield PHASE1.passed("all four are healthy, and registered and passing again, when Consul is back")


def _await_passing(node: Node, consul: Consul) -> None:
    wanted = dict.fromkeys(names(node), "passing")
    deadline = time.monotonic() + AWAY_S
    while (known := consul.known()) != wanted:
        if time.monotonic() > deadline:
            raise LiveError(f"not all four pass Consul's health checks after {AWAY_S:.0f} s: {known}")
        time.sleep(0.2)


def names(node: Node) -> set[str]:
    """What the services call themselves."""
    return {str(service.service) for service in node.product.services.values()}


def _leaves(node: Node, consul: Consul, start_s: float) -> Finding:
    node.stop(["data"], STOP_S)
    known = consul.known()
    node.start("data")
    node.await_health(node.services, "healthy", start_s)
    if known.keys() == names(node) - {node.product.services["data"].service}:
        return PHASE1.passed("it takes itself off Consul when it is stopped", "data")
    return PHASE1.fail(f"it is stopped, and Consul knows {', '.join(known)}", "data")
