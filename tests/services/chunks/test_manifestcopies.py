"""Manifests at the nodes that hold chunks of their sessions: who asks whom, and what liars and silent ones can do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lucid.chain.codec import encode
from lucid.machines.replicamessages import MANIFEST_PART_BYTES, MAX_BYTES, ManifestPart, ManifestRequest
from lucid.services.chunks import manifestcopies as module
from lucid.services.chunks.chaincopies import Holder, OnChain
from lucid.services.chunks.manifestcopies import ManifestCopies, ManifestMessage

OWNER = b"o" * 32
SHORT, LONG = (bytes([number]) * 16 + OWNER for number in (1, 2))
MANIFESTS = {SHORT: b"short", LONG: bytes(range(256)) * 700}
CHUNKS = {SHORT: 1, LONG: 300}

Lie = Callable[[ManifestMessage], ManifestMessage | None]


class Net:
    """Nodes that reach each other; each says on the chain that it holds chunks of all sessions."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.nodes = {bytes([number]) * 32: Node(self, bytes([number]) * 32) for number in (1, 2, 3)}
        self.lies: dict[bytes, Lie] = {}
        self.rules = 3
        self.anchored = dict(CHUNKS)
        self.questions: list[tuple[bytes, bytes]] = []

    def carry(self, source: bytes, target: bytes, message: Any) -> None:
        """A message on its way."""
        if isinstance(message, ManifestRequest):
            self.questions.append((source, target))
        assert len(encode(message)) <= MAX_BYTES
        lie = self.lies.get(source)
        said = message if lie is None else lie(message)
        if said is not None:
            handler: Any = self.nodes[target].copies.handle
            self.nursery.start_soon(handler, source, said)


class Node:
    """One node: its session anchoring takes what is a session's manifest, and nothing else."""

    def __init__(self, net: Net, key: bytes) -> None:
        self.net = net
        self.key = key
        self.manifests: dict[bytes, bytes] = {}
        self.away = False
        self.refused = 0
        self.copies = ManifestCopies(
            places=self,  # type: ignore[arg-type]
            store=self,  # type: ignore[arg-type]
            lists=self,  # type: ignore[arg-type]
            copies=self,  # type: ignore[arg-type]
            anchoring=self,  # type: ignore[arg-type]
            send=self.send,
        )

    @property
    def rules(self) -> int:
        """See `RulesInForce`."""
        return self.net.rules

    @property
    def connected(self) -> frozenset[bytes]:
        """See `ChunkPlaces`."""
        return frozenset(self.net.nodes.keys() - {self.key})

    async def send(self, peer: bytes, message: Any) -> bool:
        """It always leaves."""
        self.net.carry(self.key, peer, message)
        return True

    async def on_chain(self, sessions: list[bytes]) -> list[OnChain | None]:
        """See `ChainCopies`."""
        holders = tuple(Holder(key.hex(), 1) for key in self.net.nodes)
        chunks = [self.net.anchored.get(each) for each in sessions]
        return [None if each is None else OnChain(1, each, "", 1, 3, holders, ()) for each in chunks]

    async def read_when_there(self, read: Any, *given: Any) -> Any:
        """See `DurableStore`."""
        return read(*given)

    def sessions(self, after: bytes, limit: int) -> list[bytes]:
        """See `StoredLists`."""
        return [each for each in sorted(MANIFESTS) if each > after][:limit]

    async def fetch(self, path: str, wait_s: float = 0.0) -> tuple[int, bytes]:
        """See `Sibling`."""
        found = {f"/sessions/{uuid.UUID(bytes=each[:16])}/manifest?owner={OWNER.hex()}": each for each in MANIFESTS}
        manifest = self.manifests.get(found[path])
        return (404, b"") if manifest is None else (200, manifest)

    async def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """See `Sibling`."""
        assert path == "/node/manifests/lacking"
        lacking = [each for each in body["sessions"] if bytes.fromhex(each) not in self.manifests]
        return (503, {}) if self.away else (200, {"sessions": lacking})

    async def post(self, path: str, data: bytes) -> int:
        """See `Sibling`."""
        assert path == "/node/manifests"
        for session, manifest in MANIFESTS.items():
            if manifest == data:
                self.manifests[session] = data
                return 200
        self.refused += 1
        return 409

    def understood(self) -> Any:
        """Everything is."""
        return nullcontext()


@pytest.fixture
async def net() -> Any:
    """Three nodes, the first of which took all sessions."""
    async with trio.open_nursery() as nursery:
        found = Net(nursery)
        one, *_ = found.nodes.values()
        one.manifests = dict(MANIFESTS)
        yield found
        nursery.cancel_scope.cancel()


def start(net: Net, *numbers: int) -> list[Node]:
    """Have nodes look for what they lack."""
    nodes = [net.nodes[bytes([number]) * 32] for number in numbers]
    for node in nodes:
        net.nursery.start_soon(node.copies.run)
    return nodes


async def test_every_holder_comes_to_have_every_manifest_and_asks_no_more(autojump_clock: MockClock, net: Net) -> None:
    nodes = start(net, 1, 2, 3)
    await trio.sleep(30)
    assert all(node.manifests == MANIFESTS for node in nodes) and not nodes[0].copies.copied
    asked = len(net.questions)
    assert asked <= 2 * (1 + 3) + 4, "a part of 60 KiB a question"
    await trio.sleep(4 * module.LOOK_S)
    assert len(net.questions) == asked


async def test_the_manifest_of_a_new_list_is_looked_for_soon(autojump_clock: MockClock, net: Net) -> None:
    (two,) = start(net, 2)
    await trio.sleep(30)
    two.manifests.clear()
    two.copies.note(SHORT)
    await trio.sleep(module.SOON_S)
    assert set(two.manifests) == {SHORT}


async def test_one_that_nobody_has_is_asked_for_so_often_and_then_seldom(autojump_clock: MockClock, net: Net) -> None:
    net.nodes[bytes([1]) * 32].manifests.clear()
    (two,) = start(net, 2)
    await trio.sleep(60)
    before = len(net.questions)
    two.copies.note(SHORT)
    await trio.sleep(module.LOOK_S - 120)
    assert len(net.questions) - before <= 2 * module.TRIES + 4


LIES: dict[str, Lie] = {
    "other bytes": lambda each: ManifestPart(each.request, each.session, each.first, 5, b"wrong"),
    "no end": lambda each: ManifestPart(each.request, each.session, each.first, module.MAX_COPIED + 1, b"x" * 100),
    "more than it said": lambda each: ManifestPart(each.request, each.session, each.first, 5, b"x" * 100),
    "nothing": lambda each: ManifestPart(each.request, each.session, each.first, 5, b""),
    "of another": lambda each: ManifestPart(each.request, LONG, each.first, 5, b"short"),
    "silence": lambda each: None,
}


@pytest.mark.parametrize("how", LIES)
async def test_who_lies_keeps_nobody_from_another_one_s_word(autojump_clock: MockClock, net: Net, how: str) -> None:
    """The liar is asked first: it has the lower key."""
    three = net.nodes[bytes([3]) * 32]
    three.manifests = {SHORT: MANIFESTS[SHORT]}
    lie = LIES[how]
    net.lies[bytes([1]) * 32] = lambda each: lie(each) if isinstance(each, ManifestPart) else each
    (two,) = start(net, 2)
    await trio.sleep(60)
    assert two.manifests == {SHORT: MANIFESTS[SHORT]}
    assert bool(two.refused) is (how == "other bytes")


async def test_a_silent_node_is_left_alone_for_a_while(autojump_clock: MockClock, net: Net) -> None:
    net.lies[bytes([1]) * 32] = lambda each: None
    (two,) = start(net, 2)
    await trio.sleep(module.RETRY_S + module.ANSWER_S + 5)
    silent = [each for each in net.questions if each[1] == bytes([1]) * 32]
    assert len(silent) == 1, "once for both sessions"
    del net.lies[bytes([1]) * 32]
    await trio.sleep(module.LOOK_S + module.SILENT_S)
    assert two.manifests == MANIFESTS


async def test_one_that_is_longer_than_its_anchor_explains_is_not_taken(
    autojump_clock: MockClock, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PLAIN_BYTES", len(MANIFESTS[LONG]) - 300 * module.CHUNK_BYTES - 1)
    (two,) = start(net, 2)
    await trio.sleep(60)
    assert LONG not in two.manifests


async def test_one_that_is_too_long_is_not_given(
    autojump_clock: MockClock, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_COPIED", len(MANIFESTS[LONG]) - 1)
    (two,) = start(net, 2)
    await trio.sleep(60)
    assert set(two.manifests) == {SHORT}


async def test_a_peer_is_given_so_many_parts_a_second(autojump_clock: MockClock, net: Net) -> None:
    one = net.nodes[bytes([1]) * 32]
    answers: list[ManifestMessage] = []
    net.lies[one.key] = answers.append
    for number in range(100):
        await one.copies.handle(bytes([2]) * 32, ManifestRequest(number, LONG, number))
    assert len(answers) <= 2 * module.PARTS_A_SECOND
    assert all(isinstance(each, ManifestPart) and len(each.data) <= MANIFEST_PART_BYTES for each in answers)


@pytest.mark.parametrize("what", ["rules", "anchoring", "chain"])
async def test_it_waits_for_the_rules_its_own_node_and_the_chain(
    autojump_clock: MockClock, net: Net, what: str
) -> None:
    two = net.nodes[bytes([2]) * 32]
    net.rules = 2 if what == "rules" else 3
    two.away = what == "anchoring"
    net.anchored = {} if what == "chain" else net.anchored
    start(net, 2)
    await trio.sleep(30)
    assert not two.manifests and not net.questions
    net.rules, two.away, net.anchored = 3, False, dict(CHUNKS)
    await trio.sleep(2 * module.LOOK_S)
    assert two.manifests == MANIFESTS
