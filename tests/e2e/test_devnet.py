"""A real network: processes killed with SIGKILL at random moments under load, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from lucid.chain.codec import decode, encode
from lucid.chain.transactions import SessionAnchor, claim_message
from lucid.chain.votes import Vote, conflict
from lucid.cli.main import main
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import BroadcastVote, ManagerEvent, Received
from lucid.machines.messages import Standing, VoteMessage
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE
from lucid.poot.crypto import Edwards25519
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.storage.journal import JournalError, read_journal
from lucid.storage.sqlite import SqliteStore
from tests.waiting import wait_until

INTERVAL_MS = 1_000
OWNER = bytes(range(32))
CRYPTO = Edwards25519()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    """Four nodes, a block every second, journals kept."""
    with Devnet(tmp_path, 4, INTERVAL_MS, journal=True) as running:
        yield running


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Devnet]:
    """Two of them: as many as have something to say to each other."""
    with Devnet(tmp_path, 2, INTERVAL_MS, journal=True) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Four nodes without journals, for tests that leave them as healthy as they found them."""
    with Devnet(tmp_path_factory.mktemp("shared"), 4, INTERVAL_MS) as running:
        yield running


def anchor(network: Devnet, number: int) -> SessionAnchor:
    """A signed session anchor."""
    session = uuid.UUID(int=number, version=4).bytes
    owner = CRYPTO.public_key(OWNER)
    blank = SessionAnchor(session, owner, 1, 2, bytes(32), bytes(32), 1, 4096, b"", bytes(64))
    return replace(blank, signature=CRYPTO.sign(OWNER, claim_message(network.genesis.chain_id, blank)))


def submit(client: httpx.Client, node: DevNode, network: Devnet, number: int) -> str | None:
    """Hand an anchor to a node; its id once it is accepted."""
    body = {"payload": encode(anchor(network, number)).hex()}
    with contextlib.suppress(httpx.HTTPError):
        response = client.post(f"{node.url('engine')}/transactions", json=body)
        if response.status_code == 202:
            return str(response.json()["id"])
    return None


def height(client: httpx.Client, node: DevNode) -> int:
    """A node's final height."""
    return max(0, node.standing(client).height or 0)


def await_height(client: httpx.Client, network: Devnet, wanted: int, within_s: float) -> None:
    """Wait until every node is so far."""
    wait_until(
        lambda: min(height(client, node) for node in network.nodes) >= wanted,
        f"all are at {wanted}; before that {network.standings(client)}",
        within_s,
    )


def chains(client: httpx.Client, network: Devnet) -> list[dict[int, str]]:
    """Each node's final blocks by height."""
    found = []
    for node in network.nodes:
        hashes: dict[int, str] = {}
        place: int | None = height(client, node)
        while place:
            page = client.get(f"{node.url('manager')}/blocks?from={place}&limit=100").json()
            hashes |= {block["height"]: block["hash"] for block in page["blocks"]}
            place = page["next"]
        found.append(hashes)
    return found


def test_kill_9_under_load_loses_nothing_forks_nothing_and_signs_nothing_twice(network: Devnet) -> None:
    chance = random.Random(7)
    accepted: set[str] = set()
    number = 0
    with httpx.Client(timeout=30.0) as client:
        for _ in range(6):
            victim, service = chance.choice(network.nodes), chance.choice(SERVICES)
            for _ in range(10):
                number += 1
                identity = submit(client, chance.choice(network.nodes), network, number)
                if identity is not None:
                    accepted.add(identity)
            time.sleep(chance.uniform(0.0, 0.8))
            process = victim.processes[service]
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(chance.uniform(0.0, 0.5))
            victim.start(service)
        network.await_healthy()
        assert len(accepted) >= 20, "most are accepted, since at most one service is down at a time"
        # Each block has the votes of three: enough of them for `assert_never_twice`.
        await_height(client, network, max(height(client, node) for node in network.nodes) + 16, 120)
        waiting = set(accepted)
        deadline = time.monotonic() + 120
        while waiting:
            identity = next(iter(waiting))
            states = [client.get(f"{node.url('engine')}/transactions/{identity}").json() for node in network.nodes]
            if any(state.get("status") == "final" for state in states):
                waiting.discard(identity)
            else:
                assert time.monotonic() < deadline, f"{len(waiting)} of {len(accepted)} accepted are not final"
                time.sleep(0.2)
        held = chains(client, network)
    for one in held:
        for other in held:
            assert all(other.get(place, hash_) == hash_ for place, hash_ in one.items()), "a height has one block"
    assert set(network.stop().values()) == {0}
    assert_never_twice(network)


def assert_never_twice(network: Devnet) -> None:
    """No two votes that any manager ever heard from one validator conflict, over all its lives."""
    cast: dict[tuple[bytes, int, int], set[Vote]] = {}
    for path in sorted(network.folder.glob("*/journal/*-manager-*")):
        for vote in votes_heard(path):
            others = cast.setdefault((vote.signer, vote.epoch, vote.view), set())
            assert not any(conflict(vote, other) for other in others), f"{vote} after {others}"
            others.add(vote)
    assert len({signer for signer, _, _ in cast}) == len(network.nodes)
    assert len(cast) > 40
    for node in network.nodes:
        with contextlib.closing(SqliteStore(node.folder / "engine.sqlite")) as store:
            data = store.get(VOTES_TABLE, LATEST_KEY)
            assert data is not None and store.check() == []
            (_, view), votes, lost_ms = decode(data, tuple[tuple[int, int], tuple[Vote, ...], int])
            assert lost_ms == 0 and view > 5 and votes, "no log of votes was ever lost"


def votes_heard(path: Path) -> Iterator[Vote]:
    """The votes in a manager's journal; that of a killed process lacks its end."""
    with contextlib.suppress(JournalError):
        _, entries = read_journal(path)
        for entry in entries:
            event: Any = decode(entry.event, ManagerEvent)  # type: ignore[arg-type]
            if isinstance(event, Received):
                message = decode_message(event.data)
                if isinstance(message, VoteMessage):
                    yield message.vote
                elif isinstance(message, Standing):
                    yield from message.votes
            elif isinstance(event, BroadcastVote):
                yield event.vote


def test_a_receipt_of_any_node_verifies_offline(shared: Devnet, tmp_path: Path, capsys: Any) -> None:
    with httpx.Client(timeout=30.0) as client:
        identity = submit(client, shared.nodes[0], shared, 1)
        await_height(client, shared, height(client, shared.nodes[0]) + 4, 120)
        for node in shared.nodes:
            response = client.get(f"{node.url('manager')}/receipts/{identity}")
            assert response.status_code == 200
            (tmp_path / "receipt.json").write_bytes(response.content)
            arguments = ["verify", str(tmp_path / "receipt.json"), "--genesis", str(shared.folder / "genesis.toml")]
            assert main([*arguments, "--json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert (found["valid"], found["transaction"]) == (True, identity)
            assert main([*arguments, "--checkpoint", found["block"]]) == 0
            assert main([*arguments, "--checkpoint", "00" * 32]) == 21, "not covered"
            assert "checkpoint" in capsys.readouterr().out
        assert client.get(f"{shared.nodes[0].url('manager')}/receipts/{'00' * 32}").status_code == 404


def test_a_service_stops_in_time_with_status_0_and_its_journals_replay(pair: Devnet, capsys: Any) -> None:
    with httpx.Client(timeout=30.0) as client:
        assert submit(client, pair.nodes[0], pair, 1) is not None
        await_height(client, pair, 4, 120)
    began = time.monotonic()
    assert set(pair.stop().values()) == {0}
    assert time.monotonic() - began < 8
    node = pair.nodes[0]
    assert main(["replay", str(node.folder / "journal"), "--key", str(node.folder / "node.key")]) == 0
    assert capsys.readouterr().out.count("no difference") == 3, "manager, engine and anchoring"


def test_a_service_that_can_not_start_is_named_at_once(tmp_path: Path) -> None:
    devnet = Devnet(tmp_path, 1, INTERVAL_MS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", devnet.nodes[0].ports["engine"]))
        taken.listen()
        with pytest.raises(TimeoutError, match=r"node0's engine ended with status 2: .*cannot listen"), devnet:
            pass


def test_schedules_of_slots_that_are_over_stay_known(shared: Devnet) -> None:
    with httpx.Client(timeout=30.0) as client:
        await_height(client, shared, shared.genesis.parameters.slot_views + 2, 120)
        url = f"{shared.nodes[0].url('engine')}/consensus/schedule"
        now, before = client.get(url).json(), client.get(f"{url}?slot=0").json()
        assert now["slot"] >= 1 and before["slot"] == 0
        assert sorted(now["leaders"]) == sorted(before["leaders"]) == sorted(node.key.hex() for node in shared.nodes)
        assert client.get(f"{url}?epoch=7").status_code == 404
        assert client.get(f"{url}?slot={now['slot'] + 5}").status_code == 404
        assert client.get(f"{url}?slot=x").status_code == 400


def test_a_manager_that_was_away_catches_up(shared: Devnet) -> None:
    node = shared.nodes[2]
    with httpx.Client(timeout=30.0) as client:
        await_height(client, shared, 2, 120)
        process = node.processes["manager"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: client.get(f"{node.url('engine')}/health").status_code == 503)
        health = client.get(f"{node.url('engine')}/health")
        assert health.json()["status"] == "degraded" and "manager" in health.json()["reasons"][0]
        response = client.post(f"{node.url('engine')}/transactions", json={"payload": encode(anchor(shared, 9)).hex()})
        assert response.status_code == 503
        others = max(height(client, each) for each in shared.nodes if each is not node)
        rest = [each for each in shared.nodes if each is not node]
        wait_until(lambda: max(height(client, each) for each in rest) >= others + 3, "three of four go on")
        node.start("manager")
        shared.await_healthy()
        await_height(client, shared, others + 3, 30)
