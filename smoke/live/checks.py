"""The live checks of any product: each uses or hurts the services that run, and says what came of it."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.live.disturbing import restart, stalled
from smoke.live.failure import LiveError, NotPossible
from smoke.live.node import Node
from smoke.live.underway import Run

NOWHERE = "/lucid-smoke-no-such-path"

HARDENED = Check(
    "live.hardened",
    Severity.CRITICAL,
    "healthy with a read-only root, no capabilities, no new privileges and limited memory",
    "Hardened as operators run it, the service does not work.",
    "Find what the service wants to write or to be, in its log.",
)
HEALTH = Check(
    "live.health",
    Severity.CRITICAL,
    "the health answer says what is so, and recovers by itself",
    "Whoever waits for the service, or watches it, is misled.",
    "Look at the service's checks.",
)
API = Check(
    "live.api",
    Severity.CRITICAL,
    "endpoints do their work and refuse bad input with a code",
    "Clients break, or what they send is lost.",
    "Look at the endpoint.",
)
LIFECYCLE = Check(
    "live.lifecycle",
    Severity.CRITICAL,
    "stops in time though a client has stalled; a kill loses nothing",
    "A stop becomes a kill, and a kill loses what was accepted.",
    "Look at the shutdown and at what is durable when it is answered.",
)
CHECKS = (HARDENED, HEALTH, API, LIFECYCLE)


def begin(run: Run) -> Iterator[Finding]:
    """Start everything. Raises `LiveError` when it does not become healthy."""
    began = time.monotonic()
    node = run.node
    for service in node.services:
        node.start(service)
    node.await_health(node.services, "healthy", run.start_s)
    run.started, run.healthy_at = True, time.time()
    took = time.monotonic() - began
    how = "emulated" if node.emulated else "native"
    inspect: Callable[[str], dict[str, Any]] | None = getattr(node, "inspect", None)
    if inspect is None:
        yield HARDENED.skip(f"they are {node.kind}, and not containers that can be looked at here")
        return
    for service in node.services:
        yield _hardened(service, inspect(service), f"all {len(node.services)} {took:.0f} s after the start ({how})")


def _hardened(service: str, found: dict[str, Any], how: str) -> Finding:
    host = found["HostConfig"]
    wanted = {
        "a read-only root": host["ReadonlyRootfs"],
        # Podman names those dropped one by one, and those that are left.
        "no capabilities": host["CapDrop"] == ["ALL"] or found.get("EffectiveCaps", ["?"]) in (None, []),
        "no new privileges": any("no-new-privileges" in each for each in host["SecurityOpt"] or []),
        "a memory limit": host["Memory"] > 0,
    }
    lacking = [name for name, holds in wanted.items() if not holds]
    if lacking:
        return HARDENED.fail(f"it runs without {', '.join(lacking)}", service)
    return HARDENED.passed(f"healthy with {', '.join(wanted)}, {how}", service)


def health(run: Run) -> Iterator[Finding]:
    """What healthy services answer, and whether all are healthy again after one was away."""
    yield from answers(run)
    first, *others = run.node.services
    if not others:
        return
    run.node.kill(first)
    time.sleep(1)
    ended = [service for service in others if not run.node.running(service)]
    run.node.start(first)
    for service in ended:
        yield HEALTH.fail(f"it ended when {first} did", service)
        run.node.start(service)
    yield again(run, f"{first} came back")


def answers(run: Run) -> Iterator[Finding]:
    """Whether each service that has a name in its manifest gives it."""
    for service, answer in run.node.await_health(run.node.services, "healthy", run.start_s).items():
        name = run.product.services[service].service
        expected = {"status": "healthy", "service": name}
        if name is None or answer == expected:
            yield HEALTH.passed(json.dumps(answer) if answer else "it runs", service)
        else:
            yield HEALTH.fail(f"it answers {json.dumps(answer)}, not {json.dumps(expected)}", service)


def again(run: Run, after: str) -> Finding:
    """All are healthy once more. Raises `LiveError` when they are not."""
    began = time.monotonic()
    run.node.await_health(run.node.services, "healthy", run.start_s)
    return HEALTH.passed(f"all healthy again {time.monotonic() - began:.1f} s after {after}")


def api(run: Run) -> Iterator[Finding]:
    """The endpoints that the manifest names are there, and a path that nobody has is refused."""
    for service, described in run.product.services.items():
        if described.port is None:
            continue
        for endpoint in described.endpoints:
            method, _, path = endpoint.partition(" ")
            some = re.sub(r"\{[^}]*\}", "0", path)
            yield _endpoint(run.node, service, method, some, exact=some == path)
        yield _refused(run.node, service)
        if not described.endpoints:
            yield API.skip("its manifest names no endpoints", service)


def _endpoint(node: Node, service: str, method: str, path: str, *, exact: bool) -> Finding:
    """One that reads answers well; of one that changes, or takes a name, it can be told only that it is there."""
    response, shown = _asked(node, service, method, path)
    if response is None:
        return API.fail(f"{method} {path} is not answered", service)
    status = response.status_code
    reads = method in ("GET", "HEAD") and exact
    good = status < 400 if reads else status < 500 and status != 405 and (status != 404 or not exact)
    if good:
        return API.passed(f"{method} {path} answers {status}", service, shown)
    return API.fail(f"{method} {path} answers {status}", service, shown)


def _refused(node: Node, service: str) -> Finding:
    response, shown = _asked(node, service, "GET", NOWHERE)
    if response is not None and response.status_code < 500:
        return API.passed(f"a path that it does not have is answered {response.status_code}", service, shown)
    status = "nothing" if response is None else response.status_code
    return API.fail(f"a path that it does not have is answered {status}", service, shown)


def _asked(node: Node, service: str, method: str, path: str) -> tuple[httpx.Response | None, list[Evidence]]:
    try:
        response = node.send(method, service, path, timeout=30.0)
    except httpx.HTTPError as error:
        return None, [Evidence("", 0, excerpt(f"{method} {path}: {type(error).__name__} {error}"))]
    return response, [Evidence("", 0, excerpt(f"{method} {path}: {response.status_code} {response.text[:150]}"))]


def lifecycle(run: Run) -> Iterator[Finding]:
    """A kill of everything, then a stop with a stalled client of each."""
    restart(run)
    yield LIFECYCLE.passed(f"all {len(run.node.services)} are healthy again after kill -9")
    with contextlib.ExitStack() as stack:
        for service in run.node.ports:
            stack.enter_context(stalled(run.node, service, "GET / HTTP/1.1\r\nHost: x\r\n"))
        yield stop(run)


def stop(run: Run, well: Iterable[int] = (0, -15, 143)) -> Finding:
    """Stop all by SIGTERM; `well`: the statuses with which a service may end, that of SIGTERM among them or not."""
    grace = run.product.grace_s
    began = time.monotonic()
    statuses = run.node.stop(run.node.services, grace + 2)
    took = time.monotonic() - began
    wrong = {service: status for service, status in statuses.items() if status not in {*well}}
    if wrong or took > grace:
        return LIFECYCLE.fail(f"stopped after {took:.1f} s with statuses {statuses}: {grace} s and 0 are asked for")
    return LIFECYCLE.passed(f"all stopped within {took:.1f} s, status 0, with a client that had stalled")


def guarded(check: Check, what: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check's findings; a node that fails under it is a failure, not an error of the harness. What cannot be
    tried with this engine is a skip."""
    try:
        yield from what()
    except NotPossible as error:
        yield check.skip(str(error))
    except LiveError as error:
        yield check.fail(str(error))
    except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
        yield check.fail(f"it could not be carried through: {type(error).__name__} {error}")
