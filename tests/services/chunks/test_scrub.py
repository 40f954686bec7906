"""The scrubber: planted rot is found within one period, whatever stops it meanwhile, and it leaves the disk free."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from lucid.chain.chunks import chunk_id
from lucid.cli.main import main
from lucid.services.chunks import scrub as scrubbing
from lucid.services.chunks.scrub import BUCKETS, MAX_PAUSE_MS, Scrub
from lucid.services.data import DataService
from lucid.services.devnet import Devnet
from lucid.services.process.driver import clock_ms
from lucid.services.process.ports import free_ports
from lucid.storage.findings import Finding
from tests.services.chunks.dataservice import CHUNK, SESSION, fill, place, running
from tests.waiting import until, wait_until

BODIES = [bytes([number]) * 5_000 for number in range(40)]
QUIET = {"scrub_period_s": 30 * 86_400}
START, PAUSE = {"action": "start"}, {"action": "pause"}


def file_of(service: DataService, data: bytes) -> Path:
    """Where a chunk's file is."""
    return service.chunks.folder.place(chunk_id(data))


def rot(path: Path) -> None:
    """Flip one bit."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


async def test_planted_rot_is_found_within_one_period_kept_told_and_healed(tmp_path: Path) -> None:
    async with running(tmp_path, scrub_period_s=3, scrub_tranquility=1) as (service, client):
        await fill(client, BODIES)
        await trio.sleep(1.0)  # somewhere in a round
        for data in BODIES[:7]:
            rot(file_of(service, data))
        for data in BODIES[7:10]:
            file_of(service, data).unlink()
        file_of(service, BODIES[10]).write_bytes(b"")
        planted = service.scrub.status().chunks_read
        counts = service.chunks.faults.counts
        await until(lambda: (counts[Finding.CORRUPTED], counts[Finding.MISSING]) == (8, 3))
        assert service.scrub.status().chunks_read - planted <= len(BODIES) + 2, "each is read once in a period"
        kept = tmp_path / "chunks" / "quarantine"
        assert {each.name for each in kept.iterdir()} == {chunk_id(each).hex() for each in [*BODIES[:7], BODIES[10]]}
        health = (await client.get("/health")).json()
        # A slow machine may have taken longer than three seconds for a round, and says so.
        assert {each["state"] for each in health["conditions"]} - {"scrub late"} == {"quarantine", "chunks lost"}
        status = (await client.get("/status")).json()
        assert (status["chunks"], status["corrupted"], status["missing"]) == (40, 8, 3)
        metrics = (await client.get("/metrics")).text
        assert "lucid_chunks_corrupted 8.0" in metrics and "lucid_chunks_missing 3.0" in metrics
        lost = (await client.get("/chunks?status=corrupted")).json()["chunks"]
        assert {each["id"] for each in lost} == {chunk_id(each).hex() for each in [*BODIES[:7], BODIES[10]]}
        assert (await client.head(place(BODIES[0]))).status_code == 404, "who has it is to store it again"
    async with running(tmp_path, **QUIET) as (service, client):
        assert service.chunks.faults.counts == {Finding.CORRUPTED: 8, Finding.MISSING: 3}, "a restart forgets none"
        for data in BODIES[:11]:
            assert (await client.put(place(data), content=data)).status_code == 201
        assert service.chunks.faults.counts == {Finding.CORRUPTED: 0, Finding.MISSING: 0}
        assert (await client.get(place(BODIES[0]))).content == BODIES[0]
        states = [each["state"] for each in (await client.get("/health")).json()["conditions"]]
        assert states == ["quarantine"], "the copies are for the operator to remove"


async def test_a_file_that_comes_back_is_sound_again_and_one_that_is_let_go_no_loss(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET) as (service, client):
        await fill(client, BODIES)
        away, gone = file_of(service, BODIES[0]), file_of(service, BODIES[1])
        away.rename(tmp_path / "away")
        gone.unlink()
        for data in BODIES[:2]:
            checked = await client.post(f"/chunks/{chunk_id(data).hex()}/verify", json={})
            assert checked.json() == {"id": chunk_id(data).hex(), "status": "missing"}
        (tmp_path / "away").rename(away)
        again = await client.post(f"/chunks/{away.name}/verify", json={})
        assert again.json()["status"] == "verified"
        assert (await client.delete(place(BODIES[1]))).status_code == 200
        await service.chunks.sweeper.sweep(clock_ms() + 30 * 86_400_000)
        assert service.chunks.faults.counts[Finding.MISSING] == 0 and service.chunks.inventory.count == len(BODIES) - 1
        assert (await client.post(f"/chunks/{gone.name}/verify", json={})).status_code == 404
        assert (await client.get("/health")).status_code == 200


async def test_what_a_reader_stumbles_over_is_looked_at_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET) as (service, client):
        await client.put(place(CHUNK), content=CHUNK)
        await until(lambda: service.scrub.status().all_read_since_ms)
        rot(file_of(service, CHUNK))
        assert (await client.get(place(CHUNK))).status_code >= 500
        await client.post("/scrub", json={"action": "start", "max_age_ms": 2**50})
        await until(lambda: service.chunks.faults.counts[Finding.CORRUPTED] == 1)


async def test_a_pause_ends_by_itself_and_nothing_is_read_meanwhile(tmp_path: Path) -> None:
    async with running(tmp_path, scrub_period_s=1, scrub_tranquility=0) as (service, client):
        await fill(client, BODIES)
        paused = (await client.post("/scrub", json={**PAUSE, "max_duration_ms": 6_000})).json()
        assert paused["state"] == "paused" and paused["paused_until_ms"] - clock_ms() in range(1_000, 6_001)
        await trio.sleep(0.3)
        before = service.scrub.status().chunks_read
        await trio.sleep(0.8)
        assert service.scrub.status().chunks_read == before
        await until(lambda: service.scrub.status().chunks_read > before + len(BODIES))
        assert (await client.post("/scrub", json={**PAUSE, "max_duration_ms": 2**60})).status_code == 400
        assert (await client.post("/scrub", json={"action": "stop"})).status_code == 400
        await client.post("/scrub", json=PAUSE)
        await client.post("/scrub", json=START)
        assert service.scrub.status().paused_until_ms == 0, "a start ends it sooner"


async def test_a_run_reads_what_is_old_enough_and_ends_in_time(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET, scrub_tranquility=0) as (service, client):
        await until(lambda: service.scrub.status().all_read_since_ms)
        await fill(client, BODIES)
        before = service.scrub.status().chunks_read
        await client.post("/scrub", json={**START, "max_age_ms": 3_600_000})
        await trio.sleep(0.5)
        assert service.scrub.status().chunks_read == before, "nothing was read longer ago"
        await client.post("/scrub", json=START)
        await until(lambda: service.scrub.status().chunks_read == before + len(BODIES))
        listed = (await client.get("/chunks?limit=1000")).json()["chunks"]
        assert {each["status"] for each in listed} == {"verified"}
        assert len((await client.get(f"/chunks?session={SESSION}&limit=1000")).json()["chunks"]) == len(BODIES)
        await until(lambda: service.scrub.status().run_left_percent == 0)
        real = service.chunks.inspection.check

        async def slow(chunk: bytes) -> Any:
            await trio.sleep(0.2)
            return await real(chunk)

        service.chunks.inspection.check = slow  # type: ignore[method-assign]
        before = service.scrub.status().chunks_read
        await client.post("/scrub", json={**START, "max_duration_ms": 1_000})
        await trio.sleep(3.0)
        assert 1 <= service.scrub.status().chunks_read - before <= 8
        assert service.scrub.status().run_left_percent == 0


async def test_it_rests_as_its_tranquility_says(tmp_path: Path) -> None:
    async with running(tmp_path, **QUIET, scrub_tranquility=4) as (service, client):
        await until(lambda: service.scrub.status().all_read_since_ms)
        await fill(client, BODIES)
        busy_s = 0.0
        real = service.chunks.inspection.check

        async def timed(chunk: bytes) -> Any:
            nonlocal busy_s
            began = trio.current_time()
            await trio.sleep(0.005)
            found = await real(chunk)
            busy_s += trio.current_time() - began
            return found

        service.chunks.inspection.check = timed  # type: ignore[method-assign]
        began, before = trio.current_time(), service.scrub.status().chunks_read
        await client.post("/scrub", json=START)
        await until(lambda: service.scrub.status().chunks_read == before + len(BODIES))
        assert trio.current_time() - began > 4.5 * busy_s, "a fifth of the time at most"


def test_killed_it_goes_on_where_it_was_and_a_pause_holds(tmp_path: Path) -> None:
    async def prepare() -> None:
        async with running(tmp_path, **QUIET) as (_, client):
            await fill(client, BODIES)

    trio.run(prepare)
    environment = {
        **os.environ,
        "LUCID_GENESIS": str(tmp_path / "genesis.toml"),
        "LUCID_KEY": str(tmp_path / "node.key"),
        "LUCID_DATA_DIR": str(tmp_path),
        "LUCID_TOKEN": "token",
        "LUCID_PORT": str(*free_ports(1)),
        "LUCID_SCRUB_TRANQUILITY": "150",
    }

    def begin() -> tuple[subprocess.Popen[bytes], str]:
        log = tmp_path / f"log{len(list(tmp_path.glob('log*')))}"
        with log.open("wb") as file:
            process = subprocess.Popen([sys.executable, "-m", "lucid.services.data"], env=environment, stderr=file)
        deadline = time.monotonic() + 60
        while "listens at 127.0.0.1:" not in log.read_text():
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.05)
        port = log.read_text().partition("listens at 127.0.0.1:")[2].split()[0]
        return process, f"http://127.0.0.1:{port}"

    def kill(process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def status(url: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{url}/status").json()["scrub"]
        return found

    process, url = begin()
    try:
        httpx.post(f"{url}/scrub", json=START)
        began = status(url)["chunks_read"]
        wait_until(lambda: status(url)["chunks_read"] >= began + 10)
        httpx.put(f"{url}{place(CHUNK)}", content=CHUNK)  # a commit takes what waits along
        seen = status(url)
        kill(process)
        process, url = begin()
        after = status(url)
        assert after["chunks_read"] >= seen["chunks_read"] - 10 > 0
        assert 0 < after["run_left_percent"] <= seen["run_left_percent"] + 25, "the run goes on, not anew"
        httpx.post(f"{url}/scrub", json=PAUSE)
        kill(process)
        process, url = begin()
        assert status(url)["state"] == "paused" and status(url)["run_left_percent"] == 0
    finally:
        kill(process)


async def test_a_clock_that_is_put_back_stops_nothing_and_one_put_forward_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead_ms = 400 * 86_400_000
    async with running(tmp_path, **QUIET) as (service, client):
        with monkeypatch.context() as patch:
            patch.setattr(scrubbing, "clock_ms", lambda: clock_ms() + ahead_ms)
            await client.post("/scrub", json=START)
            await until(lambda: service.scrub.status().run_left_percent == 0)
            await client.post("/scrub", json={**PAUSE, "max_duration_ms": MAX_PAUSE_MS})
            assert (await client.get("/health")).status_code == 200
        scrub: Scrub = service.scrub
        assert scrub.status().paused_until_ms <= clock_ms() + MAX_PAUSE_MS
        await client.post("/scrub", json={**START, "max_duration_ms": 1})
        assert scrub._wait_s(clock_ms()) <= QUIET["scrub_period_s"] / BUCKETS


def test_the_command_tells_and_says_with_its_status(
    lone: Devnet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = lone.nodes[0]
    monkeypatch.setenv("LUCID_DATA_URL", node.url("data"))
    monkeypatch.setenv("LUCID_TOKEN", node.token)
    data = b"what lucid data looks at" * 100
    httpx.put(f"{node.url('data')}{place(data)}", content=data, headers={"Authorization": f"Bearer {node.token}"})
    identity = chunk_id(data).hex()

    def run(*arguments: str) -> tuple[int, Any]:
        status = main(["data", *arguments, "--json"])
        return status, json.loads(capsys.readouterr().out)

    assert run("status")[0] == 0
    assert identity in [each["id"] for each in run("ls", "--session", SESSION)[1]["chunks"]]
    assert run("verify", identity) == (0, {"verified": 1, "wrong": []})
    assert run("scrub", "pause", "--max-duration", "1m")[1]["state"] == "paused"
    assert run("scrub", "start", "--max-age", "1d", "--max-duration", "10s")[1]["paused_until_ms"] == 0
    for arguments in (["status"], ["ls"], ["verify", "--session", SESSION], ["scrub", "status"]):
        assert main(["data", *arguments]) == 0
        assert capsys.readouterr().out
    assert main(["data", "scrub", "pause", "--max-age", "1d"]) == 2
    assert main(["data", "ls", "--session", "x"]) == 2
    (node.folder / "chunks" / identity[:2] / identity).unlink()
    assert run("verify", identity) == (20, {"verified": 0, "wrong": [{"id": identity, "status": "missing"}]})
    assert run("status")[0] == 20 and run("ls", "--status", "missing")[0] == 20
    lost = {"sound": 0, "wrong": [{"id": identity, "status": "missing"}]}
    assert run("repair") == run("repair", identity) == (20, lost), "nobody else has it"
    httpx.put(f"{node.url('data')}{place(data)}", content=data, headers={"Authorization": f"Bearer {node.token}"})
    assert run("repair") == (0, {"sound": 0, "wrong": []}), "nothing is left to be repaired"
    assert run("repair", "--session", SESSION)[1]["sound"] > 0
    assert run("verify")[0] == 0 and run("status")[0] == 0
    before = run("prune", "--dry-run")[1]
    httpx.delete(f"{node.url('data')}{place(data)}", headers={"Authorization": f"Bearer {node.token}"})
    status, found = run("prune", "--dry-run")
    assert (status, found["dry_run"], found["due"], found["removed"]) == (0, True, 0, 0)
    assert (found["waiting"], found["waiting_bytes"]) == (before["waiting"] + 1, before["waiting_bytes"] + len(data))
    assert run("prune")[1]["removed"] == 0 and found["next_ms"] > 0, "its day is not over"
    for arguments in (["repair"], ["prune"], ["prune", "--dry-run"]):
        assert main(["data", *arguments]) == 0
        assert capsys.readouterr().out
    assert main(["data", "repair", identity, "--session", SESSION]) == 2
    capsys.readouterr()
    monkeypatch.setenv("LUCID_DATA_URL", "http://127.0.0.1:9")
    assert main(["data", "status"]) == 2 and "Traceback" not in capsys.readouterr().err


def test_anchor_says_that_one_node_has_no_copies(
    lone: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk").write_bytes(b"words" * 1_000)
    assert main(["keys", "new", "owner.key"]) == 0
    capsys.readouterr()
    config = str(lone.nodes[0].folder / "node.toml")
    assert main(["anchor", "talk", "--owner", "owner.key", "--config", config, "--json", "--wait", "replicated"]) == 10
    printed = capsys.readouterr()
    assert "one node" in printed.err
    told = json.loads(printed.out)
    assert (told["status"], told["replicated"], told["copies"]) == ("final", False, 1)
