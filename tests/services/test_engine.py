"""The engine's service beside a manager that says what a test wants: handed in, told, certified, connected
again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from msgspec.structs import replace
from quart import request

from lucid.chain.blocks import genesis_beacon
from lucid.chain.codec import Record, encode
from lucid.chain.errors import Code
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import SessionAnchor, Transaction, claim_message
from lucid.machines.effects import Evicted, Fact, Observe, Offer, TimedOut, ViewContext
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, new_log
from lucid.poot.crypto import Edwards25519
from lucid.services import engine as module
from lucid.services.chain.ownvotes import ForeignVote, LogOutdated, OwnVotes
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.engine import NOT_YET, EngineService
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.link import PATH, Frames, Link
from lucid.services.peer.linkgreeting import Greeting, read_greeting
from lucid.services.peer.linkmessages import FROM_ENGINE, CertificateGiven, CertificateWanted, Farewell
from lucid.services.peer.transport import holds
from lucid.services.process.config import ConfigError, load_config
from lucid.services.process.keyfile import unused
from lucid.services.web.admission import NODE
from lucid.services.web.asking import ANSWER_S
from lucid.services.web.problems import Problem
from lucid.services.web.tokens import Tokens
from lucid.services.web.web import Web, json_response
from lucid.storage.errors import StoreDamaged
from tests.services.web import served
from tests.waiting import until

CRYPTO, OWNER, TRANSPORT = Edwards25519(), bytes(range(32)), bytes(range(1, 33))


class StubManager:
    """The other end of the engine's link, and what it answers of the chain by path; what is not there is a 404."""

    def __init__(self, token: str) -> None:
        self.web = Web("stub-manager", True, Tokens(token, "", ()), 10_000)
        self.greetings: list[Greeting] = []
        self.heard: list[Record] = []
        self.farewell = ""
        self.link: Link | None = None
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.web.lasting(PATH, self.web.admission.is_node)(self._serve)
        for path in ("info", "credits", "schedule", "transactions/<part>", "votes/<part>"):
            self.web.route("GET", f"/node/{path}", "As a test says", gives=dict, access=NODE)(self._answer)

    async def _serve(self, frames: Frames) -> None:
        self.greetings.append(read_greeting(await frames.receive()))
        if self.farewell:
            await frames.send(encode(Farewell(self.farewell)))
            return
        self.link = Link(frames, FROM_ENGINE)
        await self.link.run(self._hear)

    async def _hear(self, event: Record) -> None:
        self.heard.append(event)

    async def _answer(self, **parts: str) -> Any:
        path = request.full_path.rstrip("?").removeprefix("/node/")
        self.asked.append(path)
        if path not in self.answers:
            raise Problem(Code.NOT_FOUND)
        return json_response(self.answers[path])

    def say(self, record: Record) -> None:
        """Tell the engine something."""
        assert self.link is not None, "an engine is connected"
        self.link.say(record)


@asynccontextmanager
async def beside_a_manager(
    folder: Path, away: bool = False, node: DevNode | None = None
) -> AsyncIterator[tuple[EngineService, StubManager, httpx.AsyncClient]]:
    """An engine, its manager (which nobody reaches if it is `away`), and a client with the token of the node, which is
    a new one unless it is given."""
    node = node or Devnet(folder, 1, 1_000).nodes[0]
    manager = StubManager(node.token)
    async with served.served(manager.web) as (_, port), trio.open_nursery() as nursery:
        config = replace(load_config({}, node.settings), port=0)
        engine = EngineService(config if away else replace(config, manager_url=f"http://127.0.0.1:{port}"))
        stop = trio.Event()
        own = await nursery.start(engine.run, stop)
        headers = {"Authorization": f"Bearer {node.token}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own}", headers=headers, timeout=60) as client:
            try:
                yield engine, manager, client
            finally:
                stop.set()  # a store that is not told to end is not cut off either
                with trio.CancelScope(shield=True):
                    await engine.ended.wait()
        nursery.cancel_scope.cancel()


def at_genesis(genesis: Genesis) -> ViewContext:
    """The first view, which the only node leads."""
    key = genesis.nodes[0].key
    return ViewContext(
        epoch=0, view=1, entry=None, parent=genesis.chain_id, parent_view=0, parent_height=0, parent_tick=0,
        beacon=genesis_beacon(genesis), leader=key, validators=(key,), closing=False, ready=True,
        skipped=False,
    )  # fmt: skip


def anchor(genesis: Genesis) -> SessionAnchor:
    """A session anchor that its owner signed."""
    session = bytearray(16)
    session[6], session[8] = 0x40, 0x80
    blank = SessionAnchor(
        bytes(session), CRYPTO.public_key(OWNER), 1, 2, bytes(32), bytes(32), 1, 4_096, b"", bytes(64)
    )
    return replace(blank, signature=CRYPTO.sign(OWNER, claim_message(genesis.chain_id, blank)))


def offers(manager: StubManager) -> list[Transaction]:
    """What an engine offered so far: what was handed in, and its own heartbeats."""
    return [each for offer in manager.heard if isinstance(offer, Offer) for each in offer.transactions]


async def test_what_is_handed_in_is_offered_and_found_again(tmp_path: Path) -> None:
    async with beside_a_manager(tmp_path) as (engine, manager, client):
        await until(lambda: manager.link)
        assert manager.greetings == [Greeting(engine.genesis.chain_id, engine.key)]
        manager.say(at_genesis(engine.genesis))
        await until(lambda: engine.engine is not None and engine.engine.view == (0, 1))
        status = (await client.get("/consensus/status")).json()
        assert status | {"timeout_ms": 0, "mempool": 0} == {
            "node": engine.key.hex(), "connected": True, "epoch": 0, "view": 1, "validator": True, "timeout_ms": 0,
            "mempool": 0, "height": 0,
        }  # fmt: skip
        payload = anchor(engine.genesis)
        taken = await client.post("/transactions", json={"payload": encode(payload).hex()})
        identity = taken.json()["id"]
        assert taken.status_code == 202 and engine.engine is not None
        assert bytes.fromhex(identity) in engine.engine.admission.mempool
        await until(lambda: payload in [each.payload for each in offers(manager)])
        assert {each.endorser for each in offers(manager)} == {engine.key}

        where = f"/transactions/{identity}"
        assert (await client.get(where)).json() == {"id": identity, "status": "pending", "height": None}
        for final, said in ((False, "included"), (True, "final")):
            manager.answers[where.removeprefix("/")] = {"final": final, "height": 7}
            assert (await client.get(where)).json() == {"id": identity, "status": said, "height": 7}
        assert (await client.get(f"/transactions/{'00' * 32}")).status_code == 404
        for wrong, code in (("zz", "3001"), ("c0", "1001")):
            refused = await client.post("/transactions", json={"payload": wrong})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, f"LUCID_ERR_{code}")
        again = await client.post("/transactions", json={"payload": encode(payload).hex()})
        assert again.json()["error"]["code"] == "LUCID_ERR_5021"


async def test_what_the_chain_says_is_passed_on_as_it_was_asked(tmp_path: Path) -> None:
    async with beside_a_manager(tmp_path) as (engine, manager, client):
        manager.answers = {"info": {"height": 3}, "credits": {"members": []}, "schedule?epoch=0&slot=2": {"slot": 2}}
        assert (await client.get("/chain/info")).json() == {"height": 3}
        assert (await client.get("/consensus/credits")).json() == {"members": []}
        assert (await client.get("/consensus/schedule?slot=2&epoch=0")).json() == {"slot": 2}
        assert (await client.get("/consensus/schedule")).status_code == 404 and manager.asked[-1] == "schedule"
        assert (await client.get("/consensus/schedule?slot=-1")).status_code == 400
        assert manager.asked[-1] == "schedule", "what cannot be is not asked"
        await until(lambda: manager.link)
        manager.say(CertificateWanted(CRYPTO.public_key(TRANSPORT)))
        await until(lambda: manager.heard)
        given = manager.heard[0]
        assert isinstance(given, CertificateGiven) and holds(CRYPTO, given.certificate)
        assert (given.certificate.node, given.certificate.transport) == (engine.key, CRYPTO.public_key(TRANSPORT))


async def reasons(client: httpx.AsyncClient) -> list[str]:
    """What a service says that it lacks."""
    found: list[str] = (await client.get("/health")).json().get("reasons", [])
    return found


async def test_a_manager_that_cannot_talk_with_it_is_quoted_and_tried_again(tmp_path: Path) -> None:
    node = tmp_path / "node0"
    async with beside_a_manager(tmp_path) as (engine, manager, client):
        manager.farewell = "run both from one release"
        if manager.link is not None:
            manager.link.give_up("a new one is wanted")
        await until(lambda: len(manager.greetings) > 1 and engine.driver is None)
        with trio.fail_after(60):
            while "manager: run both from one release" not in await reasons(client):
                await trio.sleep(0.01)
        refused = await client.post("/transactions", json={"payload": encode(anchor(engine.genesis)).hex()})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "LUCID_ERR_3008")
        manager.farewell, manager.link = "", None
        await until(lambda: manager.link is not None and engine.driver is not None)
        assert await reasons(client) == [] and not unused(node / "node.key").exists(), "its key is used now"


async def test_without_a_manager_it_answers_for_itself(tmp_path: Path) -> None:
    async with beside_a_manager(tmp_path, away=True) as (engine, manager, client):
        with trio.fail_after(5):  # its start is recorded first, and until then it says that
            while not (await reasons(client))[0].startswith("manager: "):
                await trio.sleep(0.01)
        status = (await client.get("/consensus/status")).json()
        assert (status["connected"], status["validator"], status["timeout_ms"]) == (False, False, 0)
        for path in ("/chain/info", f"/transactions/{'00' * 32}"):
            assert (await client.get(path)).status_code == 503
        refused = await client.post("/transactions", json={"payload": encode(anchor(engine.genesis)).hex()})
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "LUCID_ERR_3008"
        assert not manager.greetings


async def log_of(engine: EngineService) -> bytes | None:
    """The latest row of a log of votes."""
    return await engine.store.read(engine.store.get, VOTES_TABLE, LATEST_KEY)


async def test_a_fresh_key_gets_its_log_of_votes_once(tmp_path: Path) -> None:
    """A crash may come between the log and the end of the mark: what was signed meanwhile stays in it."""
    used = (VOTES_TABLE, LATEST_KEY, encode(((0, 5), (), 0)))
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    mark = unused(node.folder / "node.key")
    for held in (new_log(), used):
        mark.touch()
        async with beside_a_manager(tmp_path, node=node) as (engine, manager, _):
            await until(partial(getattr, manager, "link"))
            assert await log_of(engine) == held[2] and not mark.exists()
            await engine.store.write([used])


def test_a_key_that_is_not_the_nodes_is_refused(tmp_path: Path) -> None:
    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    other = tmp_path / "other.id"
    other.write_text("ab" * 32 + "\n")
    with pytest.raises(ConfigError, match=r"node\.key is not the key of the node that .*other\.id names"):
        EngineService(replace(load_config({}, node.settings), port=0, id=other))


async def test_a_manager_that_stays_away_is_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def opened(url: str, *options: Any) -> Any:
        tried.append(url)
        raise ConnectionLost(f"{url} is away", "nobody answers")

    monkeypatch.setattr(module, "open_websocket", opened)
    monkeypatch.setattr(module, "RECONNECT_S", 0.01)
    async with beside_a_manager(tmp_path) as (_, _, client):
        await until(lambda: len(tried) > 5)
        assert await reasons(client) == ["manager: nobody answers"]
    assert sum("the manager is away" in each.message for each in caplog.records) == 1


async def test_what_waits_for_an_answer_is_let_go_with_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with beside_a_manager(tmp_path) as (engine, manager, client):
        await until(lambda: engine.driver is not None and manager.link is not None)
        reached = trio.Event()

        async def silent(event: Any) -> None:
            reached.set()

        monkeypatch.setattr(engine.driver, "deliver", silent)
        answers: list[httpx.Response] = []

        async def ask() -> None:
            body = {"payload": encode(anchor(engine.genesis)).hex()}
            answers.append(await client.post("/transactions", json=body))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await reached.wait()
            assert manager.link is not None
            manager.link.give_up("a new one is wanted")
            with trio.fail_after(ANSWER_S / 2):  # else it is as late as if the machine still ran
                while not answers:
                    await trio.sleep(0.01)
        assert answers[0].status_code == 503 and answers[0].json()["error"]["code"] == "LUCID_ERR_3008"


async def test_what_comes_is_held_against_the_log_and_a_key_that_is_used_elsewhere_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_S", 0.01)
    async with beside_a_manager(tmp_path) as (engine, manager, client):
        await until(lambda: engine.driver is not None and manager.link is not None)
        checked: list[Any] = []

        async def check(machine: Any, event: Any, signed: bool, now_ms: int) -> None:
            checked.append((machine, event))
            if len(checked) == 2:
                engine.votes.elsewhere = ForeignVote(0, 7)
            if len(checked) < 3:
                raise LogOutdated

        monkeypatch.setattr(engine.votes, "check", check)
        first = engine.engine
        manager.say(at_genesis(engine.genesis))
        await until(lambda: len(manager.greetings) == 2 and engine.driver is not None)
        assert engine.engine is not first, "it begins anew, from a log that knows of that epoch"
        manager.say(at_genesis(engine.genesis))
        await until(lambda: engine.driver is None)
        await trio.sleep(0.3)
        assert len(manager.greetings) == 2, "it comes back no more"
        assert "manager: it is not asked any more: the key is used elsewhere" in await reasons(client)
        assert [event for _, event in checked] == [at_genesis(engine.genesis)] * 2


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (None, "the engine is idle until it has recorded this start"),
        ("read-only", "the engine is idle until it has recorded this start in the data folder (read-only)"),
        ("damaged", "the engine signs nothing: its start cannot be recorded, the store is damaged"),
    ],
)
async def test_a_start_that_is_not_recorded_is_named_and_not_laid_on_the_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str | None, said: str
) -> None:
    async def count_start(votes: OwnVotes, now_ms: int) -> None:
        if why == "damaged":
            raise StoreDamaged("as a test")
        votes.uncounted = why
        await trio.sleep_forever()

    monkeypatch.setattr(OwnVotes, "count_start", count_start)
    async with beside_a_manager(tmp_path) as (engine, _, client):
        await until(lambda: engine._trouble != NOT_YET)
        assert said in await reasons(client)


async def test_what_the_machine_does_is_counted(tmp_path: Path) -> None:
    async with beside_a_manager(tmp_path, away=True) as (engine, _, client):
        facts: list[Fact] = [TimedOut(0, 1), TimedOut(0, 2), Evicted(bytes(32), Code.TX_EXPIRED)]
        for fact in facts:
            engine._observe(Observe(fact))
        lines = (await client.get("/metrics")).text.splitlines()
        figures = {line.partition("{")[0].split()[0]: line.split()[-1] for line in lines if not line.startswith("#")}
        assert float(figures["lucid_views_timed_out"]) == 2 and float(figures["lucid_votes_signed"]) == 0
        assert engine.evicted == 1
