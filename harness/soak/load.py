"""The load of a soak: sessions that are anchored at one node after the other."""

from __future__ import annotations

import random
import threading
import uuid
from itertools import cycle

import httpx

from harness.soak.trial import Session, SoakTrial
from lucid.chain.chunks import chunk_id
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.manifests import sign_manifest
from lucid.poot.crypto import Edwards25519

CHUNK_BYTES = 2_000
OWNER = bytes(range(32))


def load(trial: SoakTrial, ended: threading.Event) -> None:
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
