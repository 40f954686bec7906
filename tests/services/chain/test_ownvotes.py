"""A key that votes in two places, or whose log of votes was put back, stops itself and says so."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import trio

from lucid.chain.certificates import Certificate
from lucid.chain.codec import decode
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP, Vote
from lucid.machines.effects import CertificateStored
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, VoteLog, new_log
from lucid.services.chain import ownvotes
from lucid.services.chain.ownvotes import LogOutdated, OwnVotes
from lucid.services.chain.seenvotes import SeenVote
from lucid.services.devnet import Devnet
from lucid.services.devnode import SERVICES, DevNode
from lucid.services.engine import EngineService
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import write_key
from lucid.services.process.ports import free_ports
from lucid.services.process.running import run_to_end
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreOther
from lucid.storage.sqlite import SqliteStore
from tests.networks import CHAIN, running
from tests.waiting import wait_until

KEYS = tuple(bytes([number]) * 32 for number in range(4))
ME, BLOCK = KEYS[1], bytes(32)


def vote(view: int, kind: int = NOTARIZE, epoch: int = 0) -> Vote:
    """A vote of ours."""
    return Vote(epoch, view, kind, BLOCK if kind == NOTARIZE else b"", ME, bytes(64))


def certificate(view: int, places: int = 0b1111, kind: int = NOTARIZE, block: bytes = BLOCK) -> Certificate:
    """A certificate; the bits of `places` say who signed."""
    count = places.bit_count()
    return Certificate(0, view, kind, b"" if kind == SKIP else block, bytes([places]), (bytes(64),) * count)


async def looked_at(
    path: Path, signed: list[Vote], found: Certificate, signed_here: bool, seen: SeenVote | None = None
) -> tuple[OwnVotes, Any, list[Any]]:
    """What comes of a certificate for a log with these votes: the guard, the engine, and what the log is afterwards.

    `seen` is this key's latest vote that the chain holds.
    """

    async def seek(since: int, until: int) -> SeenVote | None:
        assert since == max([0, *(each.view for each in signed)]) + 1, "as of what the log knew"
        return seen if seen is not None and since <= seen.view < until else None

    with closing(SqliteStore(path / "store")) as inner:
        inner.write([new_log()])
        log = VoteLog(inner)
        for each in signed:
            if (each.epoch, each.view) > log.view:
                log.enter((each.epoch, each.view))
            log.record(each)
            inner.write(log.writes())
        store = DurableStore(inner)
        own = OwnVotes(store, path / "starts", seek, late_views=100)
        engine: Any = SimpleNamespace(
            key=ME,
            log=VoteLog(inner),
            admission=SimpleNamespace(validators=frozenset(KEYS)),
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            outdated = False
            try:
                for ready in (False, True):  # the blocks come after the certificate
                    context: Any = SimpleNamespace(
                        entry=None, epoch=0, view=found.view + 1, validators=KEYS, ready=ready
                    )
                    await own.check(engine, CertificateStored(found, ready, context), signed_here, 1_000)
                    if engine.log.view < (0, found.view + 1):
                        engine.log.enter((0, found.view + 1))
            except LogOutdated:
                outdated = True
                engine.log = VoteLog(inner)  # the engine that begins anew, with a log that is lost
                await own.check(engine, CertificateStored(found, True, context), signed_here, 1_000)
            nursery.cancel_scope.cancel()
        engine.log = VoteLog(inner)
    return own, engine, [outdated, engine.log.lost_ms, engine.log.view]


@pytest.mark.parametrize(
    ("signed", "view", "places", "kind", "known"),
    [
        ([1, 2, 3], 3, 0b1111, NOTARIZE, True),
        ([1, 2, 3], 2, 0b1111, NOTARIZE, True),
        ([1, 2, 3], 1, 0b1111, NOTARIZE, True),  # closed: the log cannot tell any more
        ([1, 2, 3], 4, 0b1101, NOTARIZE, True),  # we did not sign it
        ([1, 2, 3], 4, 0b0010, NOTARIZE, False),
        ([1, 2, 3], 9, 0b1111, NOTARIZE, False),
        ([1, 2, 3], 3, 0b1111, SKIP, False),
        ([1, 3], 2, 0b1111, NOTARIZE, False),
        ([], 1, 0b1111, NOTARIZE, False),
    ],
)
@pytest.mark.parametrize("signed_here", [False, True])
async def test_a_vote_that_the_log_does_not_know_is_noticed(
    tmp_path: Path, signed: list[int], view: int, places: int, kind: int, known: bool, signed_here: bool
) -> None:
    found = certificate(view, places, kind)
    own, engine, [outdated, lost_ms, at] = await looked_at(
        tmp_path, [vote(each) for each in signed], found, signed_here
    )
    assert outdated is not known and (own.elsewhere is not None) is (signed_here and not known)
    assert (lost_ms, at) == (0, (0, max(signed, default=0))) if known else (lost_ms, at) == (1_000, (1, 0))
    condition = own.condition(engine)
    states = {(False, True): "key in two places", (False, False): "not signing"}
    assert (None if condition is None else condition.state) == states.get((known, signed_here))
    if condition is not None:
        assert condition.remedy and ("until epoch 1" in condition.sentence or "view" in condition.sentence)


async def test_another_block_under_our_signature_is_noticed(tmp_path: Path) -> None:
    found = certificate(3, block=b"\x01" * 32)
    _, _, [outdated, *_] = await looked_at(tmp_path, [vote(3)], found, True)
    assert outdated


@pytest.mark.parametrize(
    ("seen", "known"),
    [
        (None, True),
        (SeenVote(3, NOTARIZE, BLOCK.hex()), True),
        (SeenVote(4, SKIP, ""), False),
        (SeenVote(9, FINALIZE, BLOCK.hex()), False),
        (SeenVote(10, NOTARIZE, BLOCK.hex()), True),  # the log was there by then
    ],
)
async def test_views_that_are_passed_over_are_looked_for_in_the_chain(
    tmp_path: Path, seen: SeenVote | None, known: bool
) -> None:
    """A certificate holds a quorum's votes, and ours may not be among them."""
    others = certificate(9, places=0b1101)
    _, _, [outdated, *_] = await looked_at(tmp_path, [vote(1), vote(2), vote(3)], others, False, seen)
    assert outdated is not known


async def followed(path: Path, last: int, late: int, voted: int = 0) -> bool:
    """Whether a log with a vote in view 1 is found outdated while the engine follows the chain up to view `last`.

    From view `late` on the blocks hold a vote of this key in view 3. In view `voted` this engine votes itself, a step
    after it is told of the view's certificate.
    """
    at = 0

    async def seek(since: int, until: int) -> SeenVote | None:
        return SeenVote(3, SKIP, "") if at >= late and since <= 3 < until else None

    with closing(SqliteStore(path / "store")) as inner:
        inner.write([new_log()])
        log = VoteLog(inner)
        log.enter((0, 1))
        log.record(vote(1))
        store = DurableStore(inner)
        own = OwnVotes(store, path / "starts", seek, late_views=6)
        engine: Any = SimpleNamespace(key=ME, log=log, admission=SimpleNamespace(validators=frozenset(KEYS)))
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            try:
                for at in range(2, last + 1):
                    context: Any = SimpleNamespace(entry=None, epoch=0, view=at, validators=KEYS, ready=True)
                    await own.check(engine, CertificateStored(certificate(at - 1, 0b1101), True, context), True, 1_000)
                    if at - 1 == voted:
                        log.record(vote(voted, SKIP))
                        own.signed(vote(voted, SKIP))
                    log.enter((0, at))
                return False
            except LogOutdated:
                return True
            finally:
                nursery.cancel_scope.cancel()
    raise AssertionError("one or the other")


@pytest.mark.parametrize("late", [4, 5, 9])
async def test_a_vote_that_comes_late_into_the_chain_is_noticed(tmp_path: Path, late: int) -> None:
    """The engine that follows view by view passes over none, and the certificates may all be without our vote."""
    assert await followed(tmp_path, late, late)


async def test_a_vote_of_our_own_is_none_of_another(tmp_path: Path) -> None:
    """Votes wait in the engine's queue: the certificate of their view may be looked at first."""
    assert not await followed(tmp_path, 20, 5, voted=3)


async def test_where_no_vote_can_come_any_more_nothing_is_asked(tmp_path: Path) -> None:
    assert not await followed(tmp_path, 20, 12)


async def nobody(since: int, until: int) -> SeenVote | None:
    """The chain holds no vote."""
    return None


@pytest.mark.parametrize("data", [b"", b"x", b"-1", b"\xff", b"\0", b"9" * 5_000])
async def test_a_count_that_is_none_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "starts").write_bytes(data)
    with closing(SqliteStore(tmp_path / "store")) as inner, pytest.raises(StoreOther, match="does not hold the number"):
        await OwnVotes(DurableStore(inner), tmp_path / "starts", nobody, late_views=100).count_start(1)


def test_an_engine_with_such_a_count_ends_with_that_sentence(tmp_path: Path) -> None:
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    (tmp_path / "engine.starts").mkdir()
    names = {"genesis": tmp_path / "genesis.toml", "key": tmp_path / "node.key", "data_dir": tmp_path}
    engine = EngineService(load_config({}, token="t" * 16, **names))
    with pytest.raises(StoreOther, match="cannot be read: Is a directory"):
        run_to_end(engine.run, trio.Event())


async def test_a_count_that_does_not_come_holds_up_nothing_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "starts")
    with closing(SqliteStore(tmp_path / "store")) as inner:
        with trio.move_on_after(0.1) as patience:
            await OwnVotes(DurableStore(inner), tmp_path / "starts", nobody, late_views=100).count_start(1)
        assert patience.cancelled_caught
    os.close(os.open(tmp_path / "starts", os.O_RDWR))  # who waits for it goes on


async def test_on_a_full_disk_the_count_waits_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str | None] = []
    full = [OSError(errno.ENOSPC, "no room"), OSError(errno.EDQUOT, "no room"), OSError(errno.EROFS, "read-only")]

    def write(path: Path, data: bytes) -> None:
        said.append(votes.uncounted)
        if full:
            raise full.pop()
        path.write_bytes(data)

    monkeypatch.setattr(ownvotes, "write_durably", write)
    monkeypatch.setattr(ownvotes, "ROOM_S", 0.01)
    with closing(SqliteStore(tmp_path / "store")) as inner, trio.fail_after(60):
        store = DurableStore(inner)
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            votes = OwnVotes(store, tmp_path / "starts", nobody, late_views=100)
            await votes.count_start(1)
            nursery.cancel_scope.cancel()
    assert said == [None, "read-only", "no room", "no room"] and votes.uncounted is None
    assert not full and (tmp_path / "starts").read_text() == "1\n"


# -- real processes ----------------------------------------------------------------------------------------------


def conditions(client: httpx.Client, node: DevNode, service: str) -> list[dict[str, str]]:
    """What /health of a node's service names."""
    try:
        found: list[dict[str, str]] = client.get(f"{node.url(service)}/health").json().get("conditions", [])
    except httpx.HTTPError:
        return []
    return found


def top(client: httpx.Client, network: Devnet) -> dict[str, Any]:
    """The first node's last final block; an empty one where it does not answer."""
    try:
        found: list[dict[str, Any]] = client.get(f"{network.nodes[0].url('manager')}/blocks?limit=1").json()["blocks"]
    except (httpx.HTTPError, KeyError):
        found = []
    return found[0] if found else {"height": 0, "view": 0}


def height(client: httpx.Client, network: Devnet) -> int:
    """How high the chain is."""
    return int(top(client, network)["height"])


def voted_since(client: httpx.Client, network: Devnet, node: DevNode, view: int) -> bool:
    """Whether the chain holds a vote of a node in this view or a later one."""
    first = network.nodes[0]
    where = f"{first.url('manager')}/node/votes/{node.key.hex()}?since={view}"
    try:
        return client.get(where, headers={"Authorization": f"Bearer {first.token}"}).status_code == 200
    except httpx.HTTPError:
        return False


def test_of_two_nodes_with_one_key_one_stops_itself(tmp_path: Path) -> None:
    with running(Devnet(tmp_path, 4, 1_000)) as network, httpx.Client(timeout=30) as client:
        # Of a pair the lower id dials: a twin of the highest would meet nobody, for others dial the first's address.
        node = min(network.nodes[1:], key=lambda each: (each.folder / "node.id").read_text())
        wait_until(lambda: height(client, network) >= 3)
        for service in CHAIN:
            node.processes[service].terminate()
        for service in CHAIN:
            node.processes[service].wait(60)
        twin = DevNode(tmp_path / "twin", "twin")
        for name in CHAIN:
            for kind in ("sqlite", "home"):
                shutil.copy(node.folder / f"{name}.{kind}", twin.folder)
        for path in node.folder.glob("node.*"):
            shutil.copy(path, twin.folder)
        settings = (node.folder / "node.toml").read_text().replace(str(node.folder), str(twin.folder))
        for service in SERVICES:
            settings = settings.replace(f":{node.ports[service]}", f":{twin.ports[service]}")
        [port] = free_ports(1)
        settings = re.sub(r"peer_port = \d+", f"peer_port = {port}", settings)
        (twin.folder / "node.toml").write_text(settings)
        network.nodes.append(twin)
        for service in CHAIN:
            node.start(service)
        # The one that starts later has an older log. As long as both sign the same, neither does any harm, so it starts
        # when the chain holds votes that it does not know.
        known = top(client, network)
        wait_until(lambda: voted_since(client, network, node, known["view"] + 1))
        voted = height(client, network)
        wait_until(lambda: height(client, network) > voted + 2)
        for service in CHAIN:
            twin.start(service)

        def stopped() -> bool:
            found = [each["state"] for one in (node, twin) for each in conditions(client, one, "engine")]
            return "not signing" in found or "key in two places" in found

        wait_until(stopped)
        at = height(client, network)
        wait_until(lambda: height(client, network) > at + 3)


@pytest.mark.parametrize("put_back", [["engine.sqlite"], ["engine.sqlite", "engine.starts"]], ids=["store", "folder"])
def test_a_log_of_votes_that_was_put_back_signs_nothing(tmp_path: Path, put_back: list[str]) -> None:
    with Devnet(tmp_path, 1, 1_000) as network, httpx.Client(timeout=30) as client:
        node = network.nodes[0]
        wait_until(lambda: height(client, network) >= 3)

        def restart(put: list[str]) -> None:
            node.processes["engine"].terminate()
            node.processes["engine"].wait(60)
            for name in put:
                shutil.copy(tmp_path / f"kept.{name}", node.folder / name)
            if not put:
                for name in ("engine.sqlite", "engine.starts"):
                    shutil.copy(node.folder / name, tmp_path / f"kept.{name}")
            node.start("engine")

        restart([])
        at = height(client, network)
        wait_until(lambda: height(client, network) >= at + 2)
        restart([])
        at = height(client, network)
        wait_until(lambda: height(client, network) >= at + 3)
        restart(put_back)
        wait_until(lambda: any(each["state"] == "not signing" for each in conditions(client, node, "engine")))
        [said] = [each for each in conditions(client, node, "engine") if each["state"] == "not signing"]
        assert "until epoch 1" in said["sentence"]
        at = height(client, network)
        wait_until(lambda: any(each["state"] == "halted" for each in conditions(client, node, "manager")))
        assert height(client, network) <= at + 1, "it signs nothing"
        assert client.get(f"{node.url('engine')}/ready").status_code == 200
    said_in_log = {1: "it was put back", 2: "it is an older one"}[len(put_back)]
    assert said_in_log in (node.folder / "engine.log").read_text()
    with closing(SqliteStore(node.folder / "engine.sqlite")) as store:
        _, votes, lost_ms = decode(
            store.get(VOTES_TABLE, LATEST_KEY) or b"", tuple[tuple[int, int], tuple[Vote, ...], int]
        )
        assert lost_ms and not votes
