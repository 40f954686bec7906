"""JSON that is nearly right as the bodies of every endpoint that takes one: each answer is an envelope with a code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import UUID

import httpx

from fuzz.jsons import changed
from fuzz.node import attacked, check
from fuzz.targets import Attempt
from harness.notary import CRYPTO, OWNER, Notary
from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.chain.receipts import print_receipt
from lucid.services.devnode import DevNode

CHECK_EVERY = 50
ALLOWED = (200, 202, 400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)


@contextmanager
def target() -> Iterator[Attempt]:
    """A node of its own."""
    with attacked() as node, against(node) as attempt:
        yield attempt


@contextmanager
def against(node: DevNode) -> Iterator[Attempt]:
    """What a client would rightly send the node, changed."""
    bodies = _bodies(node, Notary())
    headers = {"Authorization": f"Bearer {node.token}", "Content-Type": "application/json"}
    done = 0
    with httpx.Client(trust_env=False, timeout=20.0) as client:

        def attempt(random: Random) -> None:
            nonlocal done
            service, path, document = random.choice(bodies)
            body = changed(random, document)
            answer = client.post(f"{node.url(service)}{path}", content=body, headers=headers)
            assert answer.status_code in ALLOWED, f"{path} answers {answer.status_code} to {body[:300]!r}"
            said = answer.json()
            if answer.status_code >= 400:
                assert said["error"]["code"].startswith("LUCID_ERR_"), f"{path}: no envelope: {answer.text[:300]}"
                assert said["error"]["message"].isprintable(), f"{path}: {answer.text[:300]!r}"
            elif path == "/verify":
                assert not said["valid"], "the receipt of another chain holds"
            done += 1
            if done % CHECK_EVERY == 0:
                check(node, service)

        yield attempt


def _bodies(node: DevNode, net: Notary) -> list[tuple[str, str, Any]]:
    chain = bytes.fromhex(httpx.get(f"{node.url('engine')}/chain/info", trust_env=False).json()["chain_id"])
    data = bytes(2_000)
    chunks = [{"index": 0, "size": len(data), "id": chunk_id(data).hex()}]
    fields = {"session": str(UUID(int=1, version=4)), "started_ms": 1, "ended_ms": 2, "chunks": chunks}
    manifest = sign_manifest(fields, OWNER, chain, CRYPTO)
    anchor = check_manifest(manifest, chain, CRYPTO).anchor
    return [
        ("anchoring", "/anchor-session", json.loads(manifest)),
        ("anchoring", "/verify", json.loads(print_receipt(net.receipt(), net.genesis))),
        ("engine", "/transactions", {"payload": encode(anchor).hex()}),
        ("manager", "/validate-block", {"block": encode(net.receipt().headers[0]).hex()}),
    ]
