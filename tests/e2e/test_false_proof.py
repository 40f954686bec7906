"""Three real nodes under rules 4: one signs a proof that does not lead to the root, and loses its turns for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec import structs

from lucid.chain.challenges import Draw, SegmentAnswer
from lucid.chain.chunks import SEGMENT_BYTES
from lucid.chain.codec import encode
from lucid.chain.hashing import session_tree_digest
from lucid.chain.merkle import inclusion_proof
from lucid.chain.parameters import paced
from lucid.chain.segments import segment_count, segment_proof
from lucid.chain.transactions import StorageProof, claim_message
from lucid.chain.versions import PROOF_RULES
from lucid.cli.main import main
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.process.keyfile import read_key
from tests.e2e.conftest import MakeFleet
from tests.waiting import wait_until

PATIENCE_S = 400


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Devnet:
    """An epoch of 24 views."""
    return make_fleet(PROOF_RULES, structs.replace(paced(1_000), slot_duration_ms=6_000, epoch_slots=4))


def asked(node: DevNode, service: str, path: str, body: Any = None) -> httpx.Response | None:
    """What a service answers who has the node's token."""
    headers = {"Authorization": f"Bearer {node.token}"}
    try:
        if body is None:
            return httpx.get(f"{node.url(service)}{path}", headers=headers, timeout=30.0)
        return httpx.post(f"{node.url(service)}{path}", headers=headers, json=body, timeout=30.0)
    except httpx.HTTPError:
        return None


def challenge(node: DevNode, session: bytes) -> Any:
    """What the chain asks of a node of a session."""
    answer = asked(node, "manager", "/node/challenges", {"sessions": [session.hex()]})
    return None if answer is None or answer.status_code != 200 else answer.json()["sessions"][0]


def members(node: DevNode) -> dict[str, Any]:
    """The nodes by name, with what their work counts for."""
    answer = asked(node, "engine", "/consensus/credits")
    return {} if answer is None else {each["name"]: each for each in answer.json().get("members", [])}


def test_who_signs_a_false_proof_leads_no_more(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    honest, liar, _ = fleet.nodes
    owner, file = tmp_path / "owner.key", tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 300)
    assert main(["keys", "new", str(owner)]) == 0
    capsys.readouterr()
    config = ["--config", str(honest.settings)]
    anchor = ["anchor", str(file), "--owner", str(owner), *config, "--json", "--chunk-size", "64KiB"]
    assert main([*anchor, "--wait", "replicated", "--wait", "6m", "--receipt", str(tmp_path / "receipt.json")]) == 0
    name = UUID(json.loads(capsys.readouterr().out)["session"])
    # From here on nobody but this test proves for it.
    liar.processes["data"].terminate()
    liar.processes["data"].wait(60)
    found = asked(honest, "anchoring", f"/sessions/{name}/manifest")
    assert found is not None
    manifest = found.json()
    ids = [bytes.fromhex(each["id"]) for each in manifest["chunks"]]
    session = name.bytes + bytes.fromhex(manifest["owner"])
    draws = wait_until(lambda: challenge(liar, session), "it is asked", PATIENCE_S)

    def answer(draw: Draw) -> SegmentAnswer:
        response = asked(honest, "data", f"/chunks/{ids[draw.place].hex()}")
        assert response is not None and response.status_code == 200
        data = response.content
        segment = draw.segment(segment_count(len(data)))
        shown = data[segment * SEGMENT_BYTES :][:SEGMENT_BYTES]
        paths = inclusion_proof(ids, draw.place, session_tree_digest), segment_proof(data, segment)
        return SegmentAnswer(draw.place, ids[draw.place], paths[0], segment_count(len(data)), segment, shown, paths[1])

    first, second = (answer(Draw(*each)) for each in draws["draws"])
    false = structs.replace(first, data=bytes([first.data[0] ^ 1]) + first.data[1:])
    blank = StorageProof(liar.key, session[16:], session[:16], draws["epoch"], (false, second), bytes(64))
    info = asked(honest, "engine", "/chain/info")
    assert info is not None
    message = claim_message(bytes.fromhex(info.json()["chain_id"]), blank)
    crypto = Edwards25519()
    lie = structs.replace(blank, signature=crypto.sign(read_key(liar.folder / "node.key"), message))
    taken = asked(honest, "engine", "/transactions", {"payload": encode(lie).hex()})
    assert taken is not None and taken.status_code == 202, "what is drawn, and whether it holds, is for the ledger"
    for node in fleet.nodes:
        wait_until(
            lambda node=node: members(node).get(liar.name, {}).get("evidence_until"),  # type: ignore[misc]
            "evidence stands against it",
            PATIENCE_S,
        )
        others = [each for each in members(node).values() if each["name"] != liar.name]
        assert len(others) == 2 and not any(each["evidence_until"] for each in others)
    assert main(["credits", liar.name, *config]) == 0
    assert "proved falsely" in capsys.readouterr().out
