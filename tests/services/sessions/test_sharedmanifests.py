"""A node that keeps the manifest of a session which another one took, against a real node."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from lucid.chain.chunks import chunk_id
from lucid.chain.codec import encode
from lucid.chain.manifests import check_manifest, sign_manifest
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from tests.waiting import wait_until

CRYPTO, OWNER = Edwards25519(), bytes(range(32))
DATA = bytes(5_000)


def manifest(network: Devnet, session: uuid.UUID, **more: Any) -> bytes:
    """A signed manifest of one chunk."""
    chunks = [{"index": 0, "size": len(DATA), "id": chunk_id(DATA).hex()}]
    fields = {"session": str(session), "started_ms": 1, "ended_ms": 2, "chunks": chunks, **more}
    return sign_manifest(fields, OWNER, network.genesis.chain_id, CRYPTO)


def anchored_elsewhere(network: Devnet, signed: bytes) -> None:
    """The chain holds a session that this node's session anchoring did not take."""
    node = network.nodes[0]
    payload = encode(check_manifest(signed, network.genesis.chain_id, CRYPTO).anchor).hex()
    said = httpx.post(f"{node.url('engine')}/transactions", json={"payload": payload}, headers=token(network))
    assert said.status_code == 202, said.text
    identity = said.json()["id"]
    url = f"{node.url('manager')}/receipts/{identity}"
    wait_until(lambda: httpx.get(url).status_code == 200, "it is final")


def token(network: Devnet) -> dict[str, str]:
    """What the node's services show each other."""
    return {"Authorization": f"Bearer {network.nodes[0].token}"}


def keep(network: Devnet, data: bytes, **more: Any) -> httpx.Response:
    """The data chain hands a manifest over."""
    headers = {"Content-Type": "application/octet-stream", **more.pop("headers", token(network))}
    return httpx.post(f"{network.nodes[0].url('anchoring')}/node/manifests", content=data, headers=headers)


def lacking(network: Devnet, *sessions: uuid.UUID) -> list[str]:
    """What the data chain is told is lacking."""
    owner = CRYPTO.public_key(OWNER).hex()
    asked = {"sessions": [each.hex + owner for each in sessions]}
    url = f"{network.nodes[0].url('anchoring')}/node/manifests/lacking"
    found: list[str] = httpx.post(url, json=asked, headers=token(network)).json()["sessions"]
    return [each[:32] for each in found]


def test_a_manifest_whose_anchor_is_final_is_kept_and_served(lone: Devnet) -> None:
    session, url = uuid.uuid4(), lone.nodes[0].url("anchoring")
    signed = manifest(lone, session)
    anchored_elsewhere(lone, signed)
    assert lacking(lone, session) == [session.hex]
    assert httpx.get(f"{url}/sessions/{session}/manifest").status_code == 404
    for _ in range(2):
        assert keep(lone, signed).status_code == 200, "the same again is harmless"
    assert lacking(lone, session) == []
    assert httpx.get(f"{url}/sessions/{session}/manifest").content == signed
    assert httpx.get(f"{url}/sessions/{session}").json()["status"] == "final"
    assert "manifest" in httpx.get(f"{url}/sessions/{session}/receipt").json()
    waiting = httpx.get(f"{url}/sessions", headers=token(lone)).json()
    assert session not in [each["session"] for each in waiting["sessions"]], "nothing is handed in"


def test_what_the_chain_does_not_hold_is_refused(lone: Devnet) -> None:
    session = uuid.uuid4()
    signed = manifest(lone, session)
    assert keep(lone, signed).status_code == 404
    anchored_elsewhere(lone, signed)
    other = manifest(lone, session, codec="other")
    refused = keep(lone, other)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "LUCID_ERR_6008")
    assert keep(lone, signed[:-2] + b"}").status_code == 400
    assert keep(lone, signed.replace(b'"ended_ms":2', b'"ended_ms":3')).status_code == 400, "the owner's signature"
    assert keep(lone, signed, headers={"Origin": "http://elsewhere"}).status_code in (401, 403)
    assert lacking(lone, session) == [session.hex]


@pytest.mark.parametrize("path", ["manifests", "manifests/lacking"])
def test_nobody_else_may(lone: Devnet, path: str) -> None:
    url = f"{lone.nodes[0].url('anchoring')}/node/{path}"
    assert httpx.post(url, json={"sessions": []}).status_code in (401, 403)
