"""What is tried with a node of Lucid: good and bad input, files onto the chain and back, kills."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx

from harness.live.chain import await_block, height
from harness.live.command import lucid
from harness.live.trial import NodeTrial
from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.live.checks import API, HEALTH, LIFECYCLE, again, answers, stop
from smoke.live.disturbing import restart, stalled

CHUNK_BYTES = 8 << 20
RECORDING_BYTES = 3 << 20
STANDING_BYTES = 64 << 10
"""A node that is in use keeps what it is tried with: no more of it than is needed."""

INTEGRATION = Check(
    "live.integration",
    Severity.CRITICAL,
    "a session anchored at 8085 is in a block of 8086, its chunks at 8087, its receipt verifies offline",
    "The services run and the product does not work.",
    "Follow the session's id through the logs.",
)


def health(trial: NodeTrial) -> Iterator[Finding]:
    """The answer's shape, and what happens when one service is gone."""
    node = trial.node
    yield from answers(trial.run)
    if node.standing:
        yield HEALTH.skip("how health tells of a service that is gone: nothing is killed in a node that is in use")
        trial.steady_since = height(node)
        return
    node.kill("engine")
    try:
        for service, answer in node.await_health(["manager", "anchoring"], "degraded", 20).items():
            if any("engine" in reason for reason in answer.get("reasons", ())):
                yield HEALTH.passed("degraded, with the reason, while the engine is gone", service)
            else:
                yield HEALTH.fail(f"it does not say why it is degraded: {json.dumps(answer)}", service)
    finally:
        node.start("engine")
    yield again(trial.run, "the engine came back")
    trial.steady_since = height(node)


def api(trial: NodeTrial) -> Iterator[Finding]:
    """Good and bad input at the endpoints of the report."""
    node = trial.node
    data = secrets.token_bytes(CHUNK_BYTES)
    session = str(UUID(int=secrets.randbits(128), version=4))
    with httpx.Client(timeout=60, trust_env=False) as client:

        def told(service: str, method: str, path: str, wanted: int, **options: Any) -> Iterator[Finding]:
            options = {"headers": trial.writer, **options}
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
            f"{node.url('data')}/store-data?session={session}", content=data, headers=trial.writer
        ).json()
        trial.chunk = stored["id"]
        got = client.get(f"{node.url('data')}/chunks/{trial.chunk}").content
        if got == data:
            yield API.passed("a chunk comes back as it went in", "data")
        else:
            yield API.fail("a chunk does not come back as it went in", "data")
        for service in node.services:
            for path in ("/ready", "/metrics", "/openapi.json", "/docs", "/api/v1/health"):
                yield from told(service, "GET", path, 200)
        if node.standing:
            yield from told("data", "DELETE", f"/chunks/{trial.chunk}?session={session}", 200)


def integration(trial: NodeTrial) -> Iterator[Finding]:
    """Files onto the chain by `lucid anchor`, and back."""
    node, folder = trial.node, trial.node.folder
    file = folder / "recording.bin"
    file.write_bytes(secrets.token_bytes(STANDING_BYTES if node.standing else RECORDING_BYTES))
    receipt = folder / f"{secrets.token_hex(4)}.receipt.json"
    config, owner = ["--config", str(folder / "client.toml")], ["--owner", str(folder / "owner.key")]
    made = json.loads(lucid("anchor", str(file), *config, *owner, "--receipt", str(receipt), "--json"))
    trial.sessions.append(made["session"])
    verified = json.loads(lucid("verify", str(receipt), "--genesis", str(folder / "genesis.toml"), "--json"))
    block = node.ask("manager", f"/blocks/{made['height']}")
    held = block is not None and made["transaction"] in block.json()["transactions"]
    output = folder / f"back-{made['session']}"
    lucid("fetch", made["session"], *config, *owner, "--output", str(output))
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


def lifecycle(trial: NodeTrial) -> Iterator[Finding]:
    """A kill of everything, then a stop with a stalled client."""
    node = trial.node
    if node.standing:
        yield LIFECYCLE.skip("a node that is in use is neither stopped nor killed")
        return
    before = height(node)
    restart(trial.run)
    yield from _kept(trial, before)
    with stalled(node, "data", f"GET /chunks/{trial.chunk} HTTP/1.1\r\nHost: x\r\n\r\n"):
        yield stop(trial.run, well=(0,))


def _kept(trial: NodeTrial, before: int) -> Iterator[Finding]:
    node = trial.node
    for session in trial.sessions:
        response = node.ask("anchoring", f"/sessions/{session}")
        if response is not None and response.json().get("status") == "final":
            yield LIFECYCLE.passed(f"session {session} is final after kill -9 of all four")
        else:
            yield LIFECYCLE.fail(f"session {session} is lost after kill -9")
    response = node.ask("data", f"/chunks/{trial.chunk}")
    if response is not None and response.status_code == 200:
        yield LIFECYCLE.passed("the chunk is there after kill -9", "data")
    else:
        yield LIFECYCLE.fail("the chunk is lost after kill -9", "data")
    after = await_block(node, before, 60)
    if after > before:
        yield LIFECYCLE.passed(f"blocks go on after kill -9: {before}, then {after}")
    else:
        yield LIFECYCLE.fail(f"no block came within 60 s after kill -9 (height {before})")
