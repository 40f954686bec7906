"""Whom to ask for blocks: the peer at hand, unless it is useless or slow; who lies or drips gives way to the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lucid.chain.certificates import Certificate
from lucid.chain.votes import NOTARIZE
from lucid.machines.manager.sources import Rate, Sources

PEERS = tuple(bytes([number]) * 32 for number in range(1, 5))
ONE, TWO, THREE, FOUR = PEERS
SLOW_MS = 1_000


def sources(wanted: dict[bytes, int] | None = None, signers: bytes = b"\x00", peers: tuple[bytes, ...] = PEERS) -> Any:
    """On a chain of four validators, of which view 7 certified a block that is not at hand, if any is `wanted`."""
    certificate = Certificate(epoch=0, view=7, kind=NOTARIZE, block=bytes(32), signers=signers, signatures=())
    tree = SimpleNamespace(epoch=0, wanted=wanted or {}, certificates={(7, NOTARIZE): certificate})
    validators = SimpleNamespace(keys=PEERS, quorum=3, index={key: place for place, key in enumerate(PEERS)})
    chain: Any = SimpleNamespace(tree=tree, validators=validators, pending_final=None)
    return Sources(bytes(32), chain, peers, SLOW_MS)


def test_the_peer_itself_is_asked_as_long_as_it_is_of_use() -> None:
    found = sources()
    assert found.choose(TWO, set(), signed=False) == TWO
    found.rated(TWO, Rate(100, SLOW_MS))
    assert found.choose(TWO, set(), signed=False) == TWO


def test_in_place_of_a_useless_one_who_spoke_and_was_never_asked_comes_first() -> None:
    found = sources()
    assert found.choose(TWO, {TWO}, signed=False) == THREE, "the next one round"
    found.claims[ONE] = 9
    assert found.choose(TWO, {TWO}, signed=False) == ONE
    assert found.choose(TWO, set(PEERS), signed=False) is None


def test_a_slow_one_gives_way_to_who_is_more_than_twice_as_fast() -> None:
    found = sources(peers=(ONE, TWO))
    found.rated(ONE, Rate(100, SLOW_MS + 1))
    assert found.choose(ONE, set(), signed=False) == TWO, "it was not tried yet"
    found.rated(TWO, Rate(200, SLOW_MS + 1))
    assert found.choose(ONE, set(), signed=False) == ONE
    found.rated(TWO, Rate(201, SLOW_MS + 1))
    assert found.choose(ONE, set(), signed=False) == TWO
    found.rated(ONE, Rate(100, SLOW_MS))
    assert found.choose(ONE, set(), signed=False) == ONE, "it is not slow"
    found.rated(ONE, Rate(100, SLOW_MS, short=True))
    assert found.choose(ONE, set(), signed=False) == TWO, "its page was short"


def test_a_node_does_not_ask_itself() -> None:
    found = sources()
    assert found.choose(found.key, set(), signed=False) == ONE
    assert found.choose(found.key, set(PEERS), signed=False) is None


def test_of_those_that_gave_nothing_who_said_so_comes_before_who_was_silent() -> None:
    found = sources(peers=(ONE, TWO, THREE))
    found.rated(ONE, Rate(0, 10 * SLOW_MS))
    found.rated(TWO, Rate(0, 20))
    found.rated(THREE, Rate(0, 30))
    assert found.choose(THREE, {THREE}, signed=False) == TWO
    assert found.choose(THREE, {THREE, TWO}, signed=False) == ONE


def test_a_repair_asks_who_certified_the_block_and_then_its_signers() -> None:
    found = sources({bytes(32): 7}, signers=b"\x0c")
    assert found.first(TWO, set()) == TWO
    assert found.first(TWO, {TWO}) == THREE and found.first(None, {THREE}) == FOUR
    assert found.first(None, {THREE, FOUR}) == ONE, "whoever it is"
    assert found.choose(TWO, {TWO}, signed=True) == THREE
    assert found.choose(FOUR, {FOUR, THREE}, signed=True) == ONE, "signers that are of no use are none"


def test_more_peers_than_can_be_faulty_vouch_for_a_height() -> None:
    found = sources()
    assert not found.informed and found.vouched_height == 0
    found.claims |= {ONE: 1_000_000, TWO: 7}
    assert found.informed and found.vouched_height == 7
    found.claims[THREE] = 8
    assert found.vouched_height == 8
