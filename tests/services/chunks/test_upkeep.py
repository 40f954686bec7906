"""What an operator is warned of, and the figures of what looks after chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.chain.chunks import chunk_id
from lucid.services.process.driver import clock_ms
from tests.services.chunks.dataservice import fill, running

BODIES = [bytes([number]) * 5_000 for number in range(10)]
BOUND_S = 3_600
QUIET = {"scrub_period_s": 30 * 86_400}


async def test_what_is_lost_lacks_copies_or_is_late_is_a_condition_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, **QUIET, replication_bound_s=BOUND_S) as (service, client):

        async def states() -> set[str]:
            health = (await client.get("/health")).json()
            assert all(each["remedy"] for each in health.get("conditions", ()))
            return {each["state"] for each in health.get("conditions", ())}

        await fill(client, BODIES)
        assert await states() == set()
        service.chunks.folder.place(chunk_id(BODIES[0])).unlink()
        await client.post(f"/chunks/{chunk_id(BODIES[0]).hex()}/verify", json={})
        assert await states() == {"chunks lost"}
        offering = service.replication.machine.offering
        offering.lacking[chunk_id(BODIES[1])] = clock_ms()
        assert await states() == {"chunks lost"}, "it has so long to come to where it belongs"
        offering.lacking[chunk_id(BODIES[1])] = clock_ms() - 1_000 * BOUND_S - 1
        assert await states() == {"chunks lost", "under-replicated"}
        monkeypatch.setattr(type(service.scrub), "late", True)
        assert await states() == {"chunks lost", "under-replicated", "scrub late"}


async def test_the_figures_of_a_status_are_those_of_the_gauges(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET) as (service, client):
        await client.post("/scrub", json={"action": "pause"})
        await fill(client, BODIES)
        for data in BODIES[:3]:
            service.chunks.folder.place(chunk_id(data)).unlink()
            await client.post(f"/chunks/{chunk_id(data).hex()}/verify", json={})
        service.chunks.folder.place(chunk_id(BODIES[3])).write_bytes(b"rot" * 500)
        await client.post(f"/chunks/{chunk_id(BODIES[3]).hex()}/verify", json={})
        told = (await client.get("/status")).json()
        assert (told["chunks"], told["missing"], told["corrupted"]) == (10, 3, 1)
        assert (told["replication"]["copies"], told["replication"]["nodes"]) == (1, 1)
        lines = (await client.get("/metrics")).text.splitlines()
        for name, value in (("chunks", 10), ("chunks_missing", 3), ("chunks_corrupted", 1), ("holdings_said", 0)):
            [figure] = [line.split()[-1] for line in lines if line.partition("{")[0].split()[0] == f"lucid_{name}"]
            assert float(figure) == value, name
