"""One run: load, probe and faults, and whether all is well in the end."""

from __future__ import annotations

import random
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import cycle

import httpx

from harness.soak.faults import HEALED_S, FaultKind, kinds
from harness.soak.trial import Session, SoakFault, SoakTrial, health, height, is_final, reasons, tell
from lucid.chain.chunks import chunk_id
from lucid.chain.errors import LucidError
from lucid.chain.keys import ed25519_public_key
from lucid.chain.manifests import sign_manifest
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import SERVICES, DevNode
from lucid.storage.check import check_store
from lucid.storage.opening import open_store

HURT_EVERY_S = 20.0
PROBE_S = 0.5
SLACK_S = 8.0
"""How much longer than the protocol allows a node that says healthy may show the same height."""
LEVEL_S = 90.0
LEVEL_BLOCKS = 3
CHUNK_BYTES = 2_000
OWNER = bytes(range(32))


def run(trial: SoakTrial, seconds: float, stopped: Callable[[], bool]) -> None:
    """Load, probe and hurt for that long, or until it is stopped, and then see whether all is well."""
    _await_blocks(trial)
    ended = threading.Event()
    threads = [threading.Thread(target=each, args=(trial, ended)) for each in (_load, _probe)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    waiting: deque[str] = deque()
    try:
        while time.monotonic() + HURT_EVERY_S < until and not stopped():
            began = time.monotonic()
            _hurt(trial, waiting)
            while time.monotonic() < began + HURT_EVERY_S and not stopped():
                time.sleep(PROBE_S)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    _settle(trial)


def _await_blocks(trial: SoakTrial) -> None:
    """A chain that never had a block waits, and calls itself healthy."""
    deadline = time.monotonic() + LEVEL_S
    with httpx.Client(timeout=5, trust_env=False) as client:
        while any((height(client, node) or 0) < LEVEL_BLOCKS for node in trial.network.nodes):
            assert time.monotonic() < deadline, "no blocks"
            time.sleep(PROBE_S)


def _hurt(trial: SoakTrial, waiting: deque[str]) -> None:
    """One fault, of the next kind in an order that is drawn anew each time that all were had."""
    possible, chance = kinds(trial), trial.chance
    if not waiting:
        waiting.extend(chance.sample(sorted(possible), len(possible)))
    name = waiting.popleft()
    kind: FaultKind = possible[name]
    nodes = [each for each in trial.network.nodes if name != "fill" or each.name in trial.small]
    fault = SoakFault(name, chance.choice(nodes), chance.choice(kind.services))
    _await_all_well(trial)
    tell(str(fault))
    trial.hurt = fault.node
    try:
        kind.do(trial, fault)
    except (OSError, subprocess.SubprocessError, httpx.HTTPError) as error:
        trial.say(f"{fault}: {error!r}")
    for service in fault.node.ended():
        trial.say(f"{fault}: its {service} has ended: {fault.node.last_words(service)}")
        fault.node.start(service)
    took_s = trial.await_well(fault.node, kind.healed_s)
    if took_s is None:
        with httpx.Client(timeout=2, trust_env=False) as client:
            said = {each: reasons(client, fault.node, each) for each in SERVICES}
        trial.say(f"{fault}: not well {kind.healed_s:.0f} s later: {said}")
    else:
        tell(f"    well after {took_s:.1f} s")
    trial.healed.setdefault(name, []).append(kind.healed_s if took_s is None else took_s)
    trial.hurt = None


def _await_all_well(trial: SoakTrial) -> None:
    """A chain of four goes on without one of them: of the next fault nothing can be said while another still heals."""
    unwell = [each.name for each in trial.network.nodes if trial.await_well(each, LEVEL_S) is None]
    if unwell:
        trial.say(f"{', '.join(unwell)}: not well {LEVEL_S:.0f} s after anything was done to a node")


# -- load and probe ----------------------------------------------------------------------------------------------


def _load(trial: SoakTrial, ended: threading.Event) -> None:
    """A session a second, at one node after the other."""
    chance = random.Random(len(trial.network.nodes))
    with httpx.Client(timeout=3, trust_env=False) as client:
        for node in cycle(trial.network.nodes):
            if ended.wait(1):
                return
            session = Session(node, str(uuid.uuid4()), chance.randbytes(CHUNK_BYTES))
            if _anchor(trial, client, session):
                trial.accepted.append(session)
            else:
                trial.refused += 1


def _anchor(trial: SoakTrial, client: httpx.Client, session: Session) -> bool:
    """Store a session's chunk and anchor it; returns whether it was accepted."""
    node, chunk = session.node, chunk_id(session.chunk).hex()
    fields = {
        "session": session.identity,
        "started_ms": 1,
        "ended_ms": 2,
        "chunks": [{"index": 0, "size": len(session.chunk), "id": chunk}],
    }
    manifest = sign_manifest(fields, OWNER, trial.network.genesis.chain_id, Edwards25519())
    owner, token = ed25519_public_key(OWNER).hex(), {"Authorization": f"Bearer {node.token}"}
    put = f"{node.url('data')}/chunks/{chunk}?session={session.identity}&owner={owner}"
    try:
        stored = client.put(put, content=session.chunk, headers={**token, "Content-Type": "application/octet-stream"})
        if stored.status_code != 201:
            return False
        headers = {**token, "Content-Type": "application/json"}
        answer = client.post(f"{node.url('anchoring')}/anchor-session", content=manifest, headers=headers)
    except httpx.HTTPError:
        return False
    return answer.status_code == 202


def _probe(trial: SoakTrial, ended: threading.Event) -> None:
    """Nodes that nothing was done to are well and say so, and who says so has a chain that grows."""
    unwell: dict[str, float] = {}
    grown: dict[str, tuple[int, float]] = {}
    with httpx.Client(timeout=2, trust_env=False) as client:
        while not ended.wait(PROBE_S):
            for node in trial.network.nodes:
                for service in SERVICES:
                    _probe_service(trial, client, node, service, unwell)
                _probe_height(trial, client, node, grown)


def _probe_service(
    trial: SoakTrial, client: httpx.Client, node: DevNode, service: str, unwell: dict[str, float]
) -> None:
    name, now = f"{node.name}'s {service}", time.monotonic()
    said = health(client, node, service)
    if said == "healthy" or node is trial.hurt:
        unwell.pop(name, None)
    elif now - unwell.setdefault(name, now) > HEALED_S:
        trial.say(f"{name} says {said}, and nothing was done to it: {reasons(client, node, service)}")
        unwell[name] = now + 60  # once a minute


def _probe_height(trial: SoakTrial, client: httpx.Client, node: DevNode, grown: dict[str, tuple[int, float]]) -> None:
    now, at = time.monotonic(), height(client, node)
    trial.blocks = max(trial.blocks, at or 0)
    before, since = grown.get(node.name, (0, now))
    if at is None or at != before or node is trial.hurt:
        grown[node.name] = (before if at is None else at, now)
    elif now - since > trial.allowed_s + SLACK_S and health(client, node, "manager") == "healthy":
        trial.say(f"{node.name}'s manager says healthy, and is at height {at} for {now - since:.0f} s")
        grown[node.name] = (at, now)


# -- the end -----------------------------------------------------------------------------------------------------


def _settle(trial: SoakTrial) -> None:
    """All that was accepted is final, every chunk is there, and all nodes have one chain of one height."""
    deadline = time.monotonic() + LEVEL_S
    left = list(trial.accepted)
    with httpx.Client(timeout=5, trust_env=False) as client:
        while left and time.monotonic() < deadline:
            left = [each for each in left if not is_final(client, each)]
            time.sleep(PROBE_S)
        for each in left:
            trial.say(f"session {each.identity}, accepted by {each.node.name}, is not final")
        for each in trial.accepted:
            held = _patiently(client, f"{each.node.url('data')}/chunks/{chunk_id(each.chunk).hex()}")
            if held != each.chunk:
                trial.say(f"a chunk of session {each.identity} is lost at {each.node.name}: {held[:200]!r}")
        heights = [height(client, each) or 0 for each in trial.network.nodes]
        if max(heights) - min(heights) > LEVEL_BLOCKS:
            trial.say(f"nodes are not level: {heights}")
        at = min(heights)
        blocks = {_patiently(client, f"{each.url('manager')}/blocks/{at}") for each in trial.network.nodes}
        if len(blocks) > 1:
            trial.say(f"nodes have different blocks of height {at}: {blocks}")
        print(f"heights at the end: {heights}", flush=True)


def _patiently(client: httpx.Client, url: str) -> bytes:
    """What is answered, once something is."""
    deadline = time.monotonic() + LEVEL_S
    while True:
        with suppress(httpx.HTTPError):
            answer = client.get(url)
            if answer.status_code != 503 or time.monotonic() > deadline:
                return answer.content
        if time.monotonic() > deadline:
            return b"no answer"
        time.sleep(PROBE_S)


def check_stores(trial: SoakTrial) -> None:
    """Every store of the network, which has stopped, is sound."""
    for node in trial.network.nodes:
        for service in SERVICES:
            try:
                with closing(open_store(f"sqlite:{node.folder / service}.sqlite")) as store:
                    found = check_store(store)[0]
            except LucidError as error:
                found = [str(error)]
            if found:
                trial.say(f"{node.name}'s store of the {service}: {found[:3]}")


def check_logs(trial: SoakTrial) -> None:
    """Nothing was raised that nobody had thought of."""
    for node in trial.network.nodes:
        for service in SERVICES:
            text = (node.logs / f"{service}.log").read_text(errors="replace")
            if "Traceback" in text:
                place = text.index("Traceback")
                trial.say(f"{node.name}'s {service} logged a traceback: {text[place : place + 2_000]}")
