"""Hostile bytes: each is refused with a code, counted, answered with nothing, and the chain is the one without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest

from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.machines.effects import Received, Refused
from lucid.machines.messages import MAX_MESSAGE_BYTES, CertificateMessage, Message, Proposal, VoteMessage
from sim.world import World
from tests.runs import Run, passed, scenario

DURATION_S = 120
EVERY_US = 3_700_000
STRANGER = b"\x7f" * 32

Sort = Callable[[dict[int, list[bytes]]], Iterator[tuple[bytes, Code]]]
"""Makes hostile messages, each with the code that it earns, out of what was sent so far by kind."""


def malformed(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
    """Bytes that never were a message."""
    random = Random(len(sent))
    for data in (b"", b"\x92", b"\xc1\xc1", b"\x92\x63\x01", b"\x92\x02\xa4text", b"\x80", b"\x91" * 2_000):
        yield data, Code.MALFORMED
    for _ in range(8):
        yield b"\x92\x02" + random.randbytes(random.randrange(200)), Code.MALFORMED


def truncated(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
    """A message of each kind, cut short, and with something behind its end."""
    for messages in sent.values():
        data = messages[-1]
        for size in (1, 2, len(data) // 2, len(data) - 1):
            yield data[:size], Code.MALFORMED
        yield data + b"\x00", Code.MALFORMED


def oversized(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
    """More than any message may have, whatever it begins with."""
    yield sent[1][-1].ljust(MAX_MESSAGE_BYTES + 1, b"\x00"), Code.OVERSIZED


def not_canonical(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
    """The same message in other bytes: a longer array header, a longer number."""
    for messages in sent.values():
        data = messages[-1]
        for other in (b"\xdc\x00" + bytes([data[0] & 0x0F]) + data[1:], data[:1] + b"\xcc" + data[1:]):
            assert decode_leniently(other) == decode(data, Message)  # type: ignore[arg-type]
            yield other, Code.NOT_CANONICAL


def replayed_proposals(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
    """Proposals of views that everyone has left."""
    for data in sent[1][:-1]:
        yield data, Code.PROPOSAL_STALE


def decode_leniently(data: bytes) -> object:
    """Decode without asking for the canonical encoding."""
    import msgspec  # noqa: PLC0415 - the product's own codec has no such door

    return msgspec.msgpack.decode(data, type=Message)


class Attacker:
    """Listens to everything sent and delivers hostile bytes to every node now and then, as a peer and as a stranger."""

    def __init__(self, sort: Sort) -> None:
        self.sort = sort
        self.sent: dict[int, list[bytes]] = {}
        self.delivered: Counter[Code] = Counter()

    def __call__(self, world: World) -> None:
        """Take a place in a world."""
        self.world = world
        self.send = world.network.send
        world.network.send = self.overhear  # type: ignore[method-assign]
        for at_us in range(EVERY_US, DURATION_S * 1_000_000, EVERY_US):
            world.clock.after(at_us, self.attack)

    def overhear(self, sender: int, key: bytes, receivers: Sequence[int], data: bytes) -> None:
        """See `Network.send`."""
        self.sent.setdefault(data[1], []).append(data)
        self.send(sender, key, receivers, data)

    def attack(self, _: object) -> None:
        """Deliver to every node."""
        if 1 not in self.sent:
            return
        for data, code in list(self.sort(self.sent)):
            for node in self.world.nodes:
                for sender in (self.world.nodes[node.index - 1].key, STRANGER):
                    self.delivered[code] += 1
                    self.world.network.receivers[node.index](Received(sender, data))


@pytest.fixture(scope="module")
def undisturbed() -> Run:
    """The run that nobody attacks."""
    return passed(scenario(nodes=4, duration=f"{DURATION_S}s"))


@pytest.mark.parametrize("sort", [malformed, truncated, oversized, not_canonical, replayed_proposals])
def test_hostile_bytes_are_refused_with_a_code_counted_and_change_nothing(sort: Sort, undisturbed: Run) -> None:
    attacker = Attacker(sort)
    done = passed(scenario(nodes=4, duration=f"{DURATION_S}s"), attacker)
    assert sum(attacker.delivered.values()) >= 200
    before = Counter(undisturbed.document["refusals"])
    assert Counter(done.document["refusals"]) == before + Counter({c.code: n for c, n in attacker.delivered.items()})
    assert done.document["series"] == undisturbed.document["series"]
    assert done.document["state_root"] == undisturbed.document["state_root"]
    assert done.document["traffic"] == undisturbed.document["traffic"], "nobody is answered"
    assert [done.root(node).hash for node in range(4)] == [undisturbed.root(node).hash for node in range(4)]
    done.assert_level()


@pytest.mark.parametrize("kind", [VoteMessage, CertificateMessage])
def test_replayed_votes_and_certificates_change_nothing(kind: type, undisturbed: Run) -> None:
    tag = kind.__struct_config__.tag  # type: ignore[attr-defined]

    def replayed(sent: dict[int, list[bytes]]) -> Iterator[tuple[bytes, Code]]:
        for data in sent.get(tag, [])[:60]:
            yield data, Code.REPLAYED

    done = passed(scenario(nodes=4, duration=f"{DURATION_S}s"), Attacker(replayed))
    assert done.document["series"] == undisturbed.document["series"]
    assert done.document["state_root"] == undisturbed.document["state_root"]
    assert done.document["traffic"] == undisturbed.document["traffic"]


def test_a_proposal_replayed_in_its_own_view_is_told_apart_from_a_stale_one() -> None:
    seen: Counter[Code] = Counter()

    def echo(world: World) -> None:
        send = world.network.send

        def twice(sender: int, key: bytes, receivers: Sequence[int], data: bytes) -> None:
            send(sender, key, receivers, data)
            if isinstance(decode(data, Message), Proposal):  # type: ignore[arg-type]
                send(sender, key, receivers, data)

        world.network.send = twice  # type: ignore[method-assign]

    done = passed(scenario(nodes=4, duration="60s"), echo)
    for _, _, fact in done.facts(Refused):
        seen[fact.code] += 1
    assert seen[Code.REPLAYED] == 3 * len(done.chain)
    done.assert_level()


def test_anchors_replayed_after_they_are_final_are_anchored_once() -> None:
    """The invariant counts; the mempools take them again, and builders leave them out."""
    attacker = Attacker(lambda sent: iter([(data, Code.REPLAYED) for data in sent.get(5, [])[:20]]))
    done = passed(scenario(nodes=4, duration=f"{DURATION_S}s"), attacker)
    [check] = [each for each in done.document["invariants"] if each["name"] == "one anchor per session"]
    assert check["checks"] == done.document["sessions"]["final"] >= 100
    done.assert_level()
