"""The live checks: each uses or hurts the node that runs, and says what came of it."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.live.failure import LiveError, NotPossible
from smoke.live.node import NAMES, Node
from smoke.live.outages import DISK, PHASE1

NATIVE_START_S, EMULATED_START_S = 20.0, 90.0
GRACE_S = 8
CHUNK_BYTES = 8 << 20
RECORDING_BYTES = 3 << 20
STANDING_BYTES = 64 << 10
"""A node that is in use keeps what it is tried with: no more of it than is needed."""
BLOCKS = 4

HARDENED = Check(
    "live.hardened",
    Severity.CRITICAL,
    "healthy with a read-only root, no capabilities, no new privileges, user 65532 and limited memory",
    "Hardened as operators run it, the service does not work.",
    "Find what the service wants to write or to be, in its log.",
)
HEALTH = Check(
    "live.health",
    Severity.CRITICAL,
    "/health says what is so, and recovers by itself",
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
INTEGRATION = Check(
    "live.integration",
    Severity.CRITICAL,
    "a session anchored at 8085 is in a block of 8086, its chunks at 8087, its receipt verifies offline",
    "The services run and the product does not work.",
    "Follow the session's id through the logs.",
)
CADENCE = Check(
    "live.cadence",
    Severity.CRITICAL,
    "blocks come every ten seconds",
    "The chain is slower or faster than every document says.",
    "Look at the engine's timers and the machine's load.",
)
LIFECYCLE = Check(
    "live.lifecycle",
    Severity.CRITICAL,
    "stops in time though a client has stalled; a kill loses nothing",
    "A stop becomes a kill, and a kill loses what was accepted.",
    "Look at the shutdown and at what is durable when it is answered.",
)
CHECKS = (HARDENED, HEALTH, API, INTEGRATION, CADENCE, PHASE1, DISK, LIFECYCLE)
SERVICES = list(NAMES)


@dataclass(frozen=True)
class Bounds:
    """Within what the time between two blocks must keep, as parts of the chain's interval."""

    low: float
    high: float
    deviation: float


NATIVE = Bounds(0.99, 1.01, 0.05)
EMULATED = Bounds(0.8, 1.2, 0.3)


@dataclass
class Run:
    """A run under way: the node, and what one check leaves to the next."""

    node: Node
    sessions: list[str] = field(default_factory=list)
    chunk: str = ""
    blocks: int = BLOCKS
    started: bool = False
    """Whether all were healthy once."""
    steady_since: int = 0
    """The height after which nothing that was done to the node could delay a block."""

    @property
    def start_s(self) -> float:
        """How long a start may take here."""
        return EMULATED_START_S if self.node.emulated else NATIVE_START_S

    @property
    def bounds(self) -> Bounds:
        """What is asked of the times of blocks here."""
        return EMULATED if self.node.emulated else NATIVE

    @property
    def writer(self) -> dict[str, str]:
        """Headers of who may write."""
        return {"Authorization": f"Bearer {self.node.api_token}"}


def begin(run: Run) -> Iterator[Finding]:
    """Start everything, up to the first block. Raises `LiveError` when it does not become healthy."""
    began = time.monotonic()
    for service in SERVICES:
        run.node.start(service)
    run.node.await_health(SERVICES, "healthy", run.start_s)
    run.started, healthy = True, time.time()
    took = time.monotonic() - began
    how = "emulated" if run.node.emulated else "native"
    inspect: Callable[[str], dict[str, Any]] | None = getattr(run.node, "inspect", None)
    if inspect is None:
        yield HARDENED.skip(f"they are {run.node.kind}, and not containers that can be looked at here")
    else:
        yield from _hardened(run, inspect, f"all four {took:.0f} s after the start ({how})")
    if not run.node.standing:
        yield _first_block(run, healthy)


def _hardened(run: Run, inspect: Callable[[str], dict[str, Any]], how: str) -> Iterator[Finding]:
    for service in SERVICES:
        found = inspect(service)
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
            yield HARDENED.fail(f"it runs without {', '.join(lacking)}", service)
        else:
            yield HARDENED.passed(f"healthy with {', '.join(wanted)}, {how}", service)


def health(run: Run) -> Iterator[Finding]:
    """The answer's shape, and what happens when one service is gone."""
    for service, answer in run.node.await_health(SERVICES, "healthy", run.start_s).items():
        expected = {"status": "healthy", "service": NAMES[service]}
        if answer == expected:
            yield HEALTH.passed(json.dumps(answer), service)
        else:
            yield HEALTH.fail(f"it answers {json.dumps(answer)}, not {json.dumps(expected)}", service)
    if run.node.standing:
        yield HEALTH.skip("how health tells of a service that is gone: nothing is killed in a node that is in use")
        run.steady_since = run.node.height()
        return
    run.node.kill("engine")
    try:
        answers = run.node.await_health(["manager", "anchoring"], "degraded", 20)
        for service, answer in answers.items():
            if any("engine" in reason for reason in answer.get("reasons", ())):
                yield HEALTH.passed("degraded, with the reason, while the engine is gone", service)
            else:
                yield HEALTH.fail(f"it does not say why it is degraded: {json.dumps(answer)}", service)
    finally:
        run.node.start("engine")
    began = time.monotonic()
    run.node.await_health(SERVICES, "healthy", run.start_s)
    yield HEALTH.passed(f"all healthy again {time.monotonic() - began:.1f} s after the engine came back")
    run.steady_since = run.node.height()


def api(run: Run) -> Iterator[Finding]:
    """Good and bad input at the endpoints of the report."""
    node = run.node
    data = secrets.token_bytes(CHUNK_BYTES)
    session = str(UUID(int=secrets.randbits(128), version=4))
    with httpx.Client(timeout=60) as client:

        def told(service: str, method: str, path: str, wanted: int, **options: Any) -> Iterator[Finding]:
            options = {"headers": run.writer, **options}
            response = client.request(method, node.url(service) + path, **options)
            shown = [Evidence("", 0, excerpt(f"{method} {path}: {response.status_code} {response.text[:150]}"))]
            code = "code" in response.text if wanted >= 400 else True
            if response.status_code == wanted and code:
                yield API.passed(f"{method} {path.partition('?')[0]} answers {wanted}", service, shown)
            else:
                yield API.fail(
                    f"{method} {path} answers {response.status_code}, not {wanted} with a code", service, shown
                )

        yield from told("anchoring", "POST", "/anchor-session", 400, json={"session": "x"})
        yield from told("anchoring", "POST", "/anchor-session", 401, json={}, headers={})
        yield from told("manager", "POST", "/validate-block", 400, json={"block": "00"})
        yield from told("engine", "POST", "/transactions", 400, json={"payload": "00"})
        yield from told("data", "POST", f"/store-data?session={session}", 400, content=b"short")
        yield from told("data", "POST", f"/store-data?session={session}", 201, content=data)
        stored = client.post(
            f"{node.url('data')}/store-data?session={session}", content=data, headers=run.writer
        ).json()
        run.chunk = stored["id"]
        got = client.get(f"{node.url('data')}/chunks/{run.chunk}").content
        if got == data:
            yield API.passed("a chunk comes back as it went in", "data")
        else:
            yield API.fail("a chunk does not come back as it went in", "data")
        for service in SERVICES:
            for path in ("/ready", "/metrics", "/openapi.json", "/docs", "/api/v1/health"):
                yield from told(service, "GET", path, 200)
        if node.standing:
            yield from told("data", "DELETE", f"/chunks/{run.chunk}?session={session}", 200)


def integration(run: Run) -> Iterator[Finding]:
    """Files onto the chain by `lucid anchor`, and back."""
    node, folder = run.node, run.node.folder
    file = folder / "recording.bin"
    file.write_bytes(secrets.token_bytes(STANDING_BYTES if node.standing else RECORDING_BYTES))
    receipt = folder / f"{secrets.token_hex(4)}.receipt.json"
    config, owner = ["--config", str(folder / "client.toml")], ["--owner", str(folder / "owner.key")]
    made = json.loads(node.lucid("anchor", str(file), *config, *owner, "--receipt", str(receipt), "--json"))
    run.sessions.append(made["session"])
    verified = json.loads(node.lucid("verify", str(receipt), "--genesis", str(folder / "genesis.toml"), "--json"))
    block = node.ask("manager", f"/blocks/{made['height']}")
    held = block is not None and made["transaction"] in block.json()["transactions"]
    output = folder / f"back-{made['session']}"
    node.lucid("fetch", made["session"], *config, *owner, "--output", str(output))
    whole = (output / file.name).read_bytes() == file.read_bytes()
    outcome = {
        "its receipt verifies offline": verified["valid"] and verified["session"] == made["session"],
        f"block {made['height']} of the manager holds it": held,
        "its chunks come back whole from the data chain": whole,
    }
    for what, holds in outcome.items():
        if holds:
            yield INTEGRATION.passed(f"session {made['session']}: {what}")
        else:
            yield INTEGRATION.fail(f"session {made['session']}: not so: {what}")


def _first_block(run: Run, healthy: float) -> Finding:
    """Whether the first block is one that was due within an interval of all being healthy, by this machine's clock."""
    interval = run.node.interval_s
    while run.node.height() == 0 and time.time() < healthy + 4 * interval:
        time.sleep(0.1)
    seen = time.time()
    first = run.node.ask("manager", "/blocks/1")
    if first is None or first.status_code != 200:
        return CADENCE.fail(f"no block came within {4 * interval:.0f} s after all four were healthy")
    due = first.json()["time_ms"] / 1000 - healthy
    message = f"the first block was due {due:.1f} s after all four were healthy, and there after {seen - healthy:.1f} s"
    return CADENCE.passed(message) if due <= interval else CADENCE.fail(f"{message}: {interval:.0f} s are allowed")


def cadence(run: Run) -> Iterator[Finding]:
    """The times that the blocks carry which came since the last injected failure."""
    interval, bounds = run.node.interval_s, run.bounds
    deadline = time.monotonic() + 1.5 * interval * (run.blocks + 2)
    while True:
        response = run.node.ask("manager", "/blocks?limit=100")
        blocks = [] if response is None else response.json()["blocks"]
        times = [block["time_ms"] / 1000 for block in blocks if block["height"] > run.steady_since]
        if len(times) > run.blocks or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    # On a node that is in use, another validator that is away slows the chain too.
    severity = Severity.WARNING if run.node.standing else CADENCE.severity
    gaps = [later - earlier for later, earlier in pairwise(times)][: run.blocks]
    if len(gaps) < run.blocks:
        yield CADENCE.fail(f"{len(times)} blocks came, {run.blocks + 1} were waited for", severity=severity)
        return
    mean, deviation = statistics.fmean(gaps), statistics.pstdev(gaps)
    low, high, most = interval * bounds.low, interval * bounds.high, interval * bounds.deviation
    message = f"{mean:.2f} s on average, deviation {deviation:.2f} s, over {len(gaps)} blocks"
    shown = f"{low:.1f} to {high:.1f} s, deviation below {most:.1f} s"
    if low <= mean <= high and deviation < most:
        yield CADENCE.passed(f"{message} (bounds: {shown})")
    else:
        yield CADENCE.fail(f"{message}, and not {shown}", severity=severity)


def lifecycle(run: Run) -> Iterator[Finding]:
    """A kill of everything, then a stop with a stalled client."""
    node = run.node
    if node.standing:
        yield LIFECYCLE.skip("a node that is in use is neither stopped nor killed")
        return
    before = node.height()
    for service in SERVICES:
        node.kill(service)
    for service in SERVICES:
        node.start(service)
    node.await_health(SERVICES, "healthy", run.start_s)
    yield from _kept(run, before)
    with _stalled(node, run.chunk):
        began = time.monotonic()
        statuses = node.stop(SERVICES, GRACE_S + 2)
        took = time.monotonic() - began
    wrong = {service: status for service, status in statuses.items() if status != 0}
    if wrong or took > GRACE_S:
        yield LIFECYCLE.fail(f"stopped after {took:.1f} s with statuses {statuses}: {GRACE_S} s and 0 are asked for")
    else:
        yield LIFECYCLE.passed(
            f"all stopped within {took:.1f} s, status 0, with a client that had stalled in a download"
        )


def _kept(run: Run, before: int) -> Iterator[Finding]:
    node = run.node
    for session in run.sessions:
        response = node.ask("anchoring", f"/sessions/{session}")
        if response is not None and response.json().get("status") == "final":
            yield LIFECYCLE.passed(f"session {session} is final after kill -9 of all four")
        else:
            yield LIFECYCLE.fail(f"session {session} is lost after kill -9")
    response = node.ask("data", f"/chunks/{run.chunk}")
    if response is not None and response.status_code == 200:
        yield LIFECYCLE.passed("the chunk is there after kill -9", "data")
    else:
        yield LIFECYCLE.fail("the chunk is lost after kill -9", "data")
    deadline = time.monotonic() + 60
    while node.height() <= before and time.monotonic() < deadline:
        time.sleep(0.5)
    after = node.height()
    if after > before:
        yield LIFECYCLE.passed(f"blocks go on after kill -9: {before}, then {after}")
    else:
        yield LIFECYCLE.fail(f"no block came within 60 s after kill -9 (height {before})")


@contextlib.contextmanager
def _stalled(node: Node, chunk: str) -> Iterator[None]:
    """A client that asks for a chunk and reads nothing of it."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", node.ports["data"]))
        client.sendall(f"GET /chunks/{chunk} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        time.sleep(0.5)
        yield


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
