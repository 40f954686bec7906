"""Session anchoring, the client and its commands, against a real node."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from msgspec.structs import replace

from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.chain.manifests import sign_manifest
from lucid.chain.receipts import verify_session_receipt
from lucid.cli.main import main
from lucid.client import AsyncClient, Client, ClientError, calls
from lucid.client.following import await_final
from lucid.machines import anchoring as machine
from lucid.poot.crypto import Edwards25519
from lucid.services.anchoring import AnchoringService
from lucid.services.devnet import Devnet
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import write_key
from tests.waiting import wait_until

CRYPTO, OWNER = Edwards25519(), bytes(range(32))
DATA = bytes(5_000)


def manifest(network: Devnet, session: uuid.UUID, secret: bytes = OWNER, **more: Any) -> bytes:
    """A signed manifest of one chunk."""
    chunks = [{"index": 0, "size": len(DATA), "id": chunk_id(DATA).hex()}]
    fields = {"session": str(session), "started_ms": 1, "ended_ms": 2, "chunks": chunks, **more}
    return sign_manifest(fields, secret, network.genesis.chain_id, CRYPTO)


def client(network: Devnet) -> Client:
    """A client of the node."""
    node = network.nodes[0]
    return Client(node.url("anchoring"), node.url("data"), node.token)


def test_a_session_becomes_final_once_and_its_receipt_holds(lone: Devnet) -> None:
    session = uuid.uuid4()
    signed = manifest(lone, session)
    with client(lone) as node:
        first = node.send(calls.anchor_session(signed))
        assert node.send(calls.anchor_session(signed)).transaction == first.transaction
        state = await_final(node, session, 20)
        assert (state.status, state.transaction) == ("final", first.transaction)
        assert node.send(calls.manifest(session)) == signed
        receipt = node.send(calls.receipt(session))
        with pytest.raises(ClientError) as caught:
            node.send(calls.anchor_session(manifest(lone, session, codec="other")))
        assert (caught.value.code, caught.value.status) == (Code.SESSION_CONFLICT, 409)
    url = lone.nodes[0].url("anchoring")
    verified = httpx.post(f"{url}/verify", content=receipt).json()
    assert (verified["valid"], verified["session"]) == (True, str(session))
    assert verified["owner"] == CRYPTO.public_key(OWNER).hex()
    changed = json.loads(receipt) | {"height": 1_000}
    assert httpx.post(f"{url}/verify", json=changed).json()["code"] == "LUCID_ERR_6010"
    assert "anchoring_queue 0.0" in httpx.get(f"{url}/metrics").text


def test_a_stranger_takes_no_session_from_its_owner_and_a_look_up_asks_whose(lone: Devnet) -> None:
    session, url = uuid.uuid4(), lone.nodes[0].url("anchoring")
    squatter = bytes(reversed(range(32)))
    owners = {secret: CRYPTO.public_key(secret) for secret in (squatter, OWNER)}
    with client(lone) as node:
        node.send(calls.anchor_session(manifest(lone, session, squatter)))
        assert await_final(node, session, 20).owner == owners[squatter].hex(), "one owner needs no saying"
        node.send(calls.anchor_session(manifest(lone, session)))
        for owner in owners.values():
            assert await_final(node, session, 20, owner=owner).owner == owner.hex()
            assert json.loads(node.send(calls.manifest(session, owner)))["owner"] == owner.hex()
            receipt = node.send(calls.receipt(session, owner))
            assert verify_session_receipt(receipt, lone.genesis, CRYPTO, session.bytes, owner).owner == owner
        for path in ("", "/receipt", "/manifest"):
            asked = httpx.get(f"{url}/sessions/{session}{path}")
            assert (asked.status_code, asked.json()["error"]["code"]) == (409, "LUCID_ERR_6009")
            assert asked.json()["error"]["details"] == {"owners": sorted(owner.hex() for owner in owners.values())}
            other = httpx.get(f"{url}/sessions/{session}{path}?owner={'ab' * 32}")
            assert (other.status_code, other.json()["error"]["code"]) == (404, "LUCID_ERR_6005")
            assert httpx.get(f"{url}/sessions/{session}{path}?owner=x").status_code == 400


def test_a_receipt_reaches_the_checkpoint_that_is_asked_for(
    lone: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, anchoring, manager = uuid.uuid4(), lone.nodes[0].url("anchoring"), lone.nodes[0].url("manager")
    with client(lone) as node:
        node.send(calls.anchor_session(manifest(lone, session)))
        height = await_final(node, session, 20).height
        early = node.send(calls.receipt(session))
    assert height is not None
    latest = {"height": 0}
    while latest["height"] < height + 2:
        latest = httpx.get(f"{manager}/blocks/latest").json()
        time.sleep(0.2)
    url = f"{anchoring}/sessions/{session}/receipt?checkpoint="
    late = httpx.get(url + str(latest["hash"]))
    genesis, path = str(lone.folder / "genesis.toml"), tmp_path / "receipt.json"
    checked = ["verify", str(path), "--genesis", genesis, "--checkpoint", str(latest["hash"])]
    path.write_bytes(late.content)
    assert main(checked) == 0
    path.write_bytes(early)
    assert main(checked) == 21
    assert "is not covered: LUCID_ERR_6011" in capsys.readouterr().out
    before = httpx.get(f"{manager}/blocks/{height - 1}").json()["hash"] if height > 1 else lone.genesis.chain_id.hex()
    for checkpoint, status in (("00" * 32, 404), (before, 409 if height > 1 else 404), ("x", 400)):
        refused = httpx.get(url + checkpoint)
        assert refused.status_code == status
        assert status == 400 or refused.json()["error"]["code"] == "LUCID_ERR_6011"


JSON = {"Content-Type": "application/json"}


def test_what_can_not_be_anchored_is_refused_by_name(lone: Devnet) -> None:
    url = lone.nodes[0].url("anchoring")
    unknown = uuid.uuid4()
    signed = json.loads(manifest(lone, unknown))
    for body, code in (
        ({}, 6001),
        (signed | {"chunk_count": 2}, 6002),
        (signed | {"merkle_root": "00" * 32}, 6003),
        (signed | {"codec": "x"}, 6004),
    ):
        response = httpx.post(f"{url}/anchor-session", json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, f"LUCID_ERR_{code}")
    # All that is wrong with its shape at once; a reader of its own would stop at the first.
    shapeless = httpx.post(f"{url}/anchor-session", json=signed | {"codec": 7, "owner": "x", "chunks": "none"}).json()
    faults = [each["path"] for each in shapeless["error"]["details"]["faults"]]
    assert sorted(faults) == ["$.chunks", "$.codec", "$.owner"]
    assert shapeless["error"]["details"]["format"] == "/openapi.json#/components/schemas/Manifest"
    twice = httpx.post(f"{url}/anchor-session", content=b'{"owner": 1, "owner": 1}', headers=JSON)
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "LUCID_ERR_6001")
    for path in ("", "/receipt", "/manifest"):
        assert httpx.get(f"{url}/sessions/{unknown}{path}").status_code == 404
        assert httpx.get(f"{url}/sessions/x{path}").status_code == 400


async def test_the_trio_client_does_the_same(lone: Devnet) -> None:
    session, node = uuid.uuid4(), lone.nodes[0]
    async with AsyncClient(node.url("anchoring"), node.url("data"), node.token) as there:
        await there.send(calls.anchor_session(manifest(lone, session)))
        assert (await there.send(calls.session_state(session))).session == str(session)
        with pytest.raises(ClientError, match="3002"):
            await there.send(calls.chunk(bytes(32)))
    async with AsyncClient("http://127.0.0.1:9", "http://127.0.0.1:9") as nobody:
        with pytest.raises(ClientError) as caught:
            await nobody.send(calls.session_state(session))
        assert caught.value.status == 0


def test_sessions_accepted_while_the_engine_is_away_survive_kills_and_become_final(tmp_path: Path) -> None:
    with Devnet(tmp_path, 1, 1_000, journal=True) as network:
        node = network.nodes[0]
        node.processes["engine"].kill()
        node.processes["engine"].wait()
        sessions = [uuid.uuid4() for _ in range(20)]
        with client(network) as there:
            for session in sessions:
                there.send(calls.anchor_session(manifest(network, session)))
            wait_until(lambda: httpx.get(f"{node.url('anchoring')}/health").status_code != 200)
            health = httpx.get(f"{node.url('anchoring')}/health")
            assert health.json()["status"] == "degraded" and "engine" in health.json()["reasons"][0]
            for service in ("anchoring", "manager"):
                node.processes[service].kill()
                node.processes[service].wait()
            for service in ("manager", "anchoring", "engine"):
                node.start(service)
            network.await_healthy()
            assert [await_final(there, session, 60).status for session in sessions] == ["final"] * len(sessions)
    journals = sorted((tmp_path / "node0" / "journal").glob("*-anchoring-*"))
    assert len(journals) == 2 and main(["replay", str(journals[-1])]) == 0


def test_a_node_is_healthy_long_before_its_first_block(tmp_path: Path) -> None:
    with Devnet(tmp_path, 1, 60_000) as network:
        assert httpx.get(f"{network.nodes[0].url('manager')}/blocks").json()["blocks"] == [], "the first is not due yet"


def test_files_go_onto_the_chain_and_come_back(
    lone: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = str(lone.nodes[0].folder / "node.toml")
    write_key(tmp_path / "owner.key")
    files = {"a.bin": bytes(range(256)) * 300, "b.txt": b"hello", "empty": b""}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    made = ["anchor", *files, "--config", config, "--owner", "owner.key", "--chunk-size", "16KiB", "--json"]
    made += ["--session-key", "session.key"]
    assert main([*made, "--receipt", "r.json"]) == 0
    found = json.loads(capsys.readouterr().out)
    session = found["session"]
    genesis = str(lone.folder / "genesis.toml")
    assert main(["verify", "r.json", "--genesis", genesis]) == 0
    assert found["session_key"] == "session.key" and not list(tmp_path.glob("*.recording"))
    for key in (["--owner", "owner.key"], ["--session-key", "session.key", "--owner-key", found["owner"]]):
        output = tmp_path / key[0]
        assert main(["fetch", session, "--config", config, *key, "--output", str(output)]) == 0
        assert {path.name: path.read_bytes() for path in output.iterdir()} == files
    with client(lone) as node:
        listed = json.loads(node.send(calls.manifest(uuid.UUID(session))))["chunks"]
        stored = node.send(calls.chunk(bytes.fromhex(listed[2]["id"])))
    assert b"b.txt" not in stored
    (tmp_path / "chunk").write_bytes(stored)
    capsys.readouterr()
    assert main(["verify", "r.json", "--genesis", genesis, "--chunk", "chunk", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["places"] == [2]
    assert main(["verify", "r.json", "--genesis", genesis, "--chunk", "a.bin"]) == 20
    again = ["fetch", session, "--config", config, "--owner", "owner.key", "--output", str(tmp_path / "--owner")]
    assert main(again) == 2 and "exists already" in capsys.readouterr().err
    wrong = [
        "fetch",
        session,
        "--config",
        config,
        "--session-key",
        "00" * 32,
        "--owner-key",
        found["owner"],
        "--output",
        "empty-folder",
    ]
    assert main(wrong) == 2 and "not the session's key" in capsys.readouterr().err
    assert not (tmp_path / "empty-folder").exists(), "nothing half is left"


def test_sessions_are_listed_with_where_they_are_and_removed(
    lone: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = ["--config", str(lone.nodes[0].folder / "node.toml")]
    write_key(tmp_path / "owner.key")
    (tmp_path / "f").write_bytes(b"words")
    assert main(["anchor", "f", *config, "--owner", "owner.key", "--json"]) == 0
    session = json.loads(capsys.readouterr().out)["session"]
    lost = uuid.uuid4()
    with client(lone) as node:
        node.send(calls.store_chunk(DATA, lost, CRYPTO.public_key(OWNER)))
    assert main(["sessions", "list", *config, "--json"]) == 0
    listed = {each["session"]: each for each in json.loads(capsys.readouterr().out)["sessions"]}
    assert (listed[session]["status"], listed[str(lost)]["status"]) == ("final", "not anchored")
    assert (listed[str(lost)]["chunks"], listed[str(lost)]["total_bytes"]) == (1, len(DATA))
    assert main(["sessions", "list", *config]) == 0 and f"{lost}  " in capsys.readouterr().out
    assert main(["sessions", "remove", str(lost), *config]) == 0
    assert capsys.readouterr().out.startswith("1 references")
    assert main(["sessions", "remove", str(lost), *config]) == 2
    assert main(["sessions", "remove", "x", *config]) == 2
    capsys.readouterr()
    assert main(["sessions", "remove", session, *config, "--owner", "owner.key", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"session": session, "references": 1}


async def test_a_session_too_many_is_answered_with_when_to_come_again_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "MAX_PENDING", 1)
    network = Devnet(tmp_path, 1, 1_000)
    node = network.nodes[0]
    config = load_config({}, node.folder / "node.toml")
    async with trio.open_nursery() as nursery:
        service, stop = AnchoringService(replace(config, port=0)), trio.Event()
        port = await nursery.start(service.run, stop)
        headers = {"Authorization": f"Bearer {node.token}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as there:
            taken, full = [
                await there.post("/anchor-session", content=manifest(network, uuid.uuid4())) for _ in range(2)
            ]
            metrics = (await there.get("/metrics")).text
        stop.set()
        await service.ended.wait()
        nursery.cancel_scope.cancel()
    assert taken.status_code == 202
    assert (full.status_code, full.json()["error"]["code"]) == (503, "LUCID_ERR_3007")
    assert int(full.headers["Retry-After"]) >= 1
    assert 'lucid_requests_refused_total{code="LUCID_ERR_3007"} 1.0' in metrics
    assert "lucid_anchoring_queue 1.0" in metrics
