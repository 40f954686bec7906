"""What the operator of a data chain is shown and may do: states of chunks in pages, orders, pruning."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.services.chunks.replication import Replication
from lucid.services.chunks.scrub import MAX_PAUSE_MS
from lucid.services.chunks.storedlists import kept
from lucid.services.chunks.sweeper import KEPT_MS
from lucid.services.data import DataService
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import OTHER, SESSION, fill, guarded, place, running
from tests.waiting import until

BODIES = [bytes([number]) * 5_000 for number in range(10)]
IDS = sorted(chunk_id(data).hex() for data in BODIES)
START = {"action": "start"}
QUIET = {"scrub_period_s": 30 * 86_400}


def file_of(service: DataService, data: bytes) -> Path:
    """Where a chunk's file is."""
    return service.chunks.folder.place(chunk_id(data))


async def test_the_scrubber_is_the_operators(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, client):
        for method, path, body in (
            ("POST", "/scrub", START),
            ("GET", "/chunks", None),
            ("POST", f"/chunks/{'00' * 32}/verify", {}),
            ("POST", f"/chunks/{'00' * 32}/repair", {}),
            ("POST", "/prune", {}),
        ):
            for token, refused in (("", True), ("one-token", True), ("operator-token", False)):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = await client.request(method, path, json=body, headers=headers)
                assert (answer.status_code == 401) is refused, (path, token, answer.status_code)


async def test_before_the_manager_has_said_who_there_is_no_number_of_copies_is_told(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, client):
        token = {"Authorization": "Bearer one-token"}
        assert (await client.put(place(BODIES[0]), content=BODIES[0], headers=token)).status_code == 201
        copies = (await client.get(f"/sessions/{SESSION}/copies", headers=token)).json()
        assert copies["copies"] == 0, "1 would say that the chain has one node, and nobody would wait for copies"
        status = (await client.get("/status", headers=token)).json()
        assert status["replication"]["copies"] == 0


async def test_pruning_removes_what_a_sweep_would_and_a_dry_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as (service, client):
        await fill(client, BODIES)
        for data in BODIES[:7]:
            await client.delete(place(data))
        monkeypatch.setattr("lucid.services.chunks.upkeeproutes.clock_ms", lambda: clock_ms() + KEPT_MS + 60_000)
        told = (await client.post("/prune", json={"dry_run": True})).json()
        assert (told["due"], told["due_bytes"], told["removed"], told["waiting"]) == (7, 35_000, 0, 0)
        assert service.chunks.inventory.count == len(BODIES)
        assert (await client.post("/prune", json={})).json() == told | {"removed": 7}
        assert service.chunks.inventory.count == len(BODIES) - 7 and not file_of(service, BODIES[0]).exists()
        assert file_of(service, BODIES[7]).exists()
        assert (await client.post("/prune", json={"dry_run": True})).json()["due"] == 0


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All pages of chunks."""
    found: list[dict[str, Any]] = []
    while True:
        page = (await client.get("/chunks", params=query)).json()
        found += page["chunks"]
        if page["after"] is None:
            return found
        query["after"] = page["after"]


async def test_chunks_are_listed_in_pages_by_state_and_by_session(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET) as (service, client):
        await client.post("/scrub", json={"action": "pause"})
        await fill(client, BODIES)
        for data in BODIES[:4]:
            await client.put(place(data, OTHER), content=data)
        file_of(service, BODIES[0]).unlink()
        for data in BODIES[1:3]:
            file_of(service, data).write_bytes(b"rot" * 500)
        for data in BODIES[:3]:
            await client.post(f"/chunks/{chunk_id(data).hex()}/verify", json={})
        for limit in (1, 3, 10, 1_000):
            assert [each["id"] for each in await listed(client, limit=limit)] == IDS
            for status, count in (("stored", 7), ("missing", 1), ("corrupted", 2), ("verified", 0), ("replicated", 0)):
                found = await listed(client, limit=limit, status=status)
                assert len(found) == count and {each["status"] for each in found} <= {status}
            theirs = await listed(client, limit=limit, session=OTHER)
            assert [each["id"] for each in theirs] == sorted(chunk_id(data).hex() for data in BODIES[:4])
            assert {each["references"] for each in theirs} == {2}
        for wrong in ("status=lost", "after=x", "limit=0", "limit=1001", "session=x", "owner=x&session=" + SESSION):
            assert (await client.get(f"/chunks?{wrong}")).status_code == 400, wrong


async def test_a_session_s_chunks_are_counted_by_state(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET) as (service, client):
        await client.post("/scrub", json={"action": "pause"})
        await fill(client, BODIES)
        file_of(service, BODIES[0]).unlink()
        await client.post(f"/chunks/{chunk_id(BODIES[0]).hex()}/verify", json={})
        found = (await client.get(f"/sessions/{SESSION}/copies")).json()
        assert (found["session"], found["owner"], found["copies"], found["on_chain"]) == (SESSION, "", 1, None)
        assert [found[each] for each in ("stored", "verified", "replicated", "missing", "corrupted")] == [9, 0, 0, 1, 0]
        assert (await client.get(f"/sessions/{OTHER}/copies")).status_code == 404
        assert (await client.get("/sessions/x/copies")).status_code == 400


async def test_what_belongs_here_and_is_on_its_way_is_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what was offered, and for a session by its list; what comes to be repaired has a state already."""
    coming = [bytes([number]) * 32 for number in range(3)]
    session = uuid.UUID(SESSION).bytes + bytes(32)
    async with running(tmp_path) as (service, client):
        assert (await client.put(place(BODIES[0]), content=BODIES[0])).status_code == 201
        held = chunk_id(BODIES[0])
        monkeypatch.setattr(service.replication.machine, "wished", lambda: [*coming[::-1], held])
        found = (await client.get("/chunks?status=pending&limit=2")).json()
        assert [each["id"] for each in found["chunks"]] == [chunk.hex() for chunk in coming[:2]]
        assert {each["status"] for each in found["chunks"]} == {"pending"} and found["after"] == coming[1].hex()
        rest = (await client.get(f"/chunks?status=pending&after={found['after']}")).json()
        assert [each["id"] for each in rest["chunks"]] == [coming[2].hex()] and rest["after"] is None
        await service.store.write(kept(session, [held, coming[1], coming[1], b"x" * 32]))
        of_session = (await client.get(f"/chunks?status=pending&session={SESSION}")).json()
        assert [each["id"] for each in of_session["chunks"]] == [coming[1].hex()]
        monkeypatch.setattr(Replication, "belongs", lambda self, chunk: chunk != b"x" * 32)
        copies = (await client.get(f"/sessions/{SESSION}/copies")).json()
        assert (copies["pending"], copies["stored"] + copies["verified"]) == (1, 1)
        await client.get("/status")
        await until(lambda: service.upkeep.census.counts is not None)
        assert service.upkeep.census.counts is not None and service.upkeep.census.counts.pending == len(coming)


async def test_an_order_out_of_its_bounds_is_refused_and_says_which_and_what_would_do(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, client):
        for field, low, high in (("max_duration_ms", 0, MAX_PAUSE_MS), ("max_age_ms", 0, 2**53)):
            for value in (low - 1, high + 1):
                refused = await client.post("/scrub", json=START | {field: value})
                assert refused.status_code == 400 and f"{field} must be within {low}..{high}" in refused.text
            assert (await client.post("/scrub", json=START | {field: high})).status_code == 200


ASKED: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/sessions", None),
    ("GET", f"/sessions/{SESSION}/copies", None),
    ("GET", "/chunks", None),
    ("POST", "/scrub", START),
    ("POST", f"/chunks/{IDS[0]}/verify", {}),
    ("POST", f"/chunks/{IDS[0]}/repair", {}),
    ("POST", "/prune", {}),
    ("POST", f"/store-data?session={SESSION}", bytes(2_000)),
    ("GET", f"/chunks/{IDS[0]}", None),
    ("GET", "/status", None),
    ("GET", "/metrics", None),
    ("DELETE", f"/sessions/{SESSION}", None),
)


@pytest.mark.parametrize("table", ["reference", "sessionchunk", "session", "chunk", "scrub", "storename", "need"])
async def test_whatever_is_asked_of_a_damaged_store_is_answered_at_once(tmp_path: Path, table: str) -> None:
    async with running(tmp_path) as (_, client):
        await fill(client, BODIES)
    with closing(sqlite3.connect(tmp_path / "data.sqlite")) as database:
        database.execute("INSERT OR IGNORE INTO stored VALUES ('need', zeroblob(64), zeroblob(16), 0)")
        database.execute("UPDATE stored SET sum=1 WHERE tab=?", (table,))
        database.commit()
    async with running(tmp_path) as (_, client):
        for method, path, body in ASKED:
            began_s = trio.current_time()
            sent = {"content": body} if isinstance(body, bytes) else {"json": body}
            answer = await client.request(method, path, **sent)
            assert trio.current_time() - began_s < 2, (method, path)
            assert answer.status_code in (200, 201, 400, 503), (method, path, answer.text)
            if answer.status_code == 503:
                assert "damaged in the table" in answer.json()["error"]["message"], (method, path, answer.text)
        if table != "need":  # of which nothing is asked while no chunk goes
            [condition] = (await client.get("/health")).json()["conditions"][:1]
            assert condition["state"] == "store failing" and f"in the table {table}" in condition["sentence"]
