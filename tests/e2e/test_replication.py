"""Three real nodes keep what any of them was given: copies, reads that fall back, one killed and wiped under load."""

from __future__ import annotations

import json
import random
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from lucid.chain.chunks import chunk_id
from lucid.cli.main import main
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from tests.waiting import wait_until

SESSION = str(uuid.UUID(int=77, version=4))
LAG_S = 30.0
"""How long a second copy may take here, with twelve services on one small machine under load."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Three nodes, a block every second."""
    with Devnet(tmp_path_factory.mktemp("fleet"), 3, 1_000) as network:
        network.await_healthy()
        yield network


def put(node: DevNode, data: bytes) -> bool:
    """Store a chunk at a node; whether it said that it is durable."""
    url = f"{node.url('data')}/chunks/{chunk_id(data).hex()}?session={SESSION}"
    try:
        return httpx.put(url, content=data, timeout=60).status_code == 201
    except httpx.HTTPError:
        return False


def file_of(node: DevNode, data: bytes) -> Path:
    """Where a node keeps a chunk."""
    name = chunk_id(data).hex()
    return node.folder / "chunks" / name[:2] / name


def holds(node: DevNode, data: bytes) -> bool:
    """Whether a node's file has a chunk's bytes."""
    path = file_of(node, data)
    return path.exists() and path.read_bytes() == data


def copies(node: DevNode) -> dict[str, int]:
    """The copies of the session's chunks, as a node tells."""
    return copies_of(node, SESSION)


def copies_of(node: DevNode, session: str) -> dict[str, int]:
    """The same of any session."""
    found: dict[str, int] = httpx.get(f"{node.url('data')}/sessions/{session}/copies", timeout=60).json()
    return found


def knows(node: DevNode) -> bool:
    """Whether a node knows that all its chunks are replicated."""
    found = copies(node)
    return found["replicated"] >= 10 and not found["stored"] + found["verified"]


def test_every_node_comes_to_hold_every_chunk_and_says_so(fleet: Devnet) -> None:
    bodies = [random.Random(number).randbytes(20_000 + 7_001 * number) for number in range(20)]
    bodies.append(random.Random(99).randbytes(3 << 20))
    for number, data in enumerate(bodies):
        assert put(fleet.nodes[number % 2], data)
    wait_until(lambda: all(holds(node, data) for node in fleet.nodes for data in bodies), "every node has a copy")
    for node in fleet.nodes[:2]:
        wait_until(partial(knows, node), "it knows of the copies")
        status = httpx.get(f"{node.url('data')}/status").json()["replication"]
        assert (status["copies"], status["nodes"], status["connected"]) == (3, 3, 2)


def test_what_rots_or_goes_is_repaired_and_read_meanwhile(fleet: Devnet) -> None:
    node = fleet.nodes[0]
    bodies = [random.Random(1_000 + number).randbytes(50_000) for number in range(3)]
    assert all(put(node, data) for data in bodies)
    wait_until(lambda: all(holds(each, data) for each in fleet.nodes for data in bodies), "every node has a copy")
    path = file_of(node, bodies[0])
    path.write_bytes(b"rot" + path.read_bytes()[3:])
    file_of(node, bodies[1]).unlink()
    for data in bodies[:2]:
        answer = httpx.get(f"{node.url('data')}/chunks/{chunk_id(data).hex()}", timeout=30)
        assert answer.status_code == 200 and answer.content == data, "a read falls back to a copy, and heals"
        assert holds(node, data)
    file_of(node, bodies[2]).write_bytes(b"x" * 50_000)
    checked = httpx.post(f"{node.url('data')}/chunks/{chunk_id(bodies[2]).hex()}/verify", json={})
    assert checked.json()["status"] == "corrupted"
    wait_until(lambda: holds(node, bodies[2]), "it is repaired")
    file_of(node, bodies[0]).unlink()
    asked = httpx.post(f"{node.url('data')}/chunks/{chunk_id(bodies[0]).hex()}/repair", json={}, timeout=60)
    assert asked.json()["status"] == "verified" and holds(node, bodies[0]), "at once, where the operator asks"
    # Counted once it is durable, which is a moment after the file is there.
    wait_until(
        lambda: httpx.get(f"{node.url('data')}/status").json()["replication"]["repaired"] >= 1, "the repair is counted"
    )
    assert any((node.folder / "chunks" / "quarantine").iterdir()), "what was wrong is kept"


def test_copies_wait_to_go_everywhere_once_the_session_is_removed_anywhere(fleet: Devnet) -> None:
    session, data = str(uuid.uuid4()), random.Random(4_711).randbytes(30_001)
    chunk = f"chunks/{chunk_id(data).hex()}?session={session}"
    first, second = (f"{node.url('data')}/" for node in fleet.nodes[:2])
    assert httpx.put(first + chunk, content=data, timeout=60).status_code == 201
    wait_until(lambda: all(holds(node, data) for node in fleet.nodes), "every node has a copy")

    def waiting() -> list[int]:
        url, order = "{}/prune", {"dry_run": True}
        told = [httpx.post(url.format(node.url("data")), json=order, timeout=60).json() for node in fleet.nodes]
        return [each["waiting"] for each in told]

    before = waiting()
    assert httpx.put(second + chunk, content=data, timeout=60).json()["new"] is False
    wait_until(lambda: copies_of(fleet.nodes[1], session)["replicated"] == 1, "it knows of the copies")
    assert httpx.delete(first + chunk, timeout=60).status_code == 200
    wait_until(lambda: waiting() == before, "the second node needs it")
    assert httpx.delete(second + chunk, timeout=60).status_code == 200
    wait_until(lambda: waiting() == [count + 1 for count in before], "no copy is kept for nobody")
    assert all(holds(node, data) for node in fleet.nodes), "for a day"


def test_a_node_killed_and_wiped_under_load_loses_nothing(fleet: Devnet) -> None:
    stored: list[bytes] = []
    taken_s: dict[bytes, float] = {}
    stop = threading.Event()

    def load(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.is_set():
            data = chance.randbytes(chance.randint(2_000, 200_000))
            node = chance.choice(fleet.nodes)
            if put(node, data):
                taken_s[data] = time.monotonic()
                stored.append(data)
            time.sleep(0.05)

    threads = [threading.Thread(target=load, args=(seed,)) for seed in (5, 6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(4)
        victim = fleet.nodes[1]
        # What it acknowledged a moment ago may have no copy yet; a card that is lost at that moment takes it along.
        before = list(stored)
        wait_until(
            lambda: all(holds(fleet.nodes[0], data) and holds(fleet.nodes[2], data) for data in before), "two copies"
        )
        of_victim = {path.name for path in victim.folder.glob("chunks/*/*")}
        for service in SERVICES:
            victim.processes[service].send_signal(signal.SIGKILL)
            victim.processes[service].wait()
        killed_s = time.monotonic()
        lost = {data for data in stored if chunk_id(data).hex() in of_victim}
        held = [data for data in stored if any(holds(node, data) for node in (fleet.nodes[0], fleet.nodes[2]))]
        shutil.rmtree(victim.folder / "chunks")
        for path in victim.folder.glob("data.sqlite*"):
            path.unlink()
        (victim.folder / "data.home").unlink()
        assert set(before) <= set(held) and lost
        time.sleep(2)
        for service in SERVICES:
            victim.start(service)
        time.sleep(3)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    kept = [data for data in stored if data in set(held) or any(holds(node, data) for node in fleet.nodes)]
    gone = [killed_s - taken_s[data] for data in stored if data not in kept]
    assert all(age_s < LAG_S for age_s in gone), f"only what had one copy yet can be gone: {gone}"
    wait_until(lambda: all(holds(node, data) for node in fleet.nodes for data in kept), "all nodes hold what is kept")
    for data in kept:
        answer = httpx.get(f"{victim.url('data')}/chunks/{chunk_id(data).hex()}", timeout=60)
        assert answer.status_code == 200 and answer.content == data


def test_anchor_waits_for_copies(
    fleet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk").write_bytes(random.Random(3).randbytes(100_000))
    assert main(["keys", "new", "owner.key"]) == 0
    capsys.readouterr()
    config = str(fleet.nodes[0].folder / "node.toml")
    command = ["anchor", "talk", "--owner", "owner.key", "--config", config, "--chunk-size", "16KiB", "--json"]
    assert main([*command, "--wait", "replicated", "--wait", "90s"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["replicated"], told["copies"]) == ("final", True, 3)
