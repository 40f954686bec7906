"""The genesis document: who may start a chain, the chain id, and the clock of ticks."""

from __future__ import annotations

from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.codec import encode
from lucid.chain.errors import GenesisError
from lucid.chain.genesis import Activation, Genesis, GenesisNode, beginning_with, decode_genesis
from lucid.chain.parameters import Parameters
from tests.messagepack import pack

KEYS = [bytes([number]) * 32 for number in range(1, 6)]
GENESIS = Genesis(
    1_700_000_000_000,
    (GenesisNode(KEYS[0], "alpha"), GenesisNode(KEYS[1], "beta", "attic")),
    (KEYS[2], KEYS[3]),
    2,
)


def complaint(genesis: Genesis) -> str:
    """What is wrong with a document, asked both ways."""
    with pytest.raises(GenesisError) as built:
        genesis.check()
    with pytest.raises(GenesisError) as decoded:
        decode_genesis(encode(genesis))
    assert str(built.value) == str(decoded.value)
    return built.value.detail


def test_a_document_is_read_as_it_was_written() -> None:
    assert GENESIS.check() is GENESIS
    assert decode_genesis(encode(GENESIS)) == GENESIS


@pytest.mark.parametrize(
    ("changes", "wish"),
    [
        ({"chain": "lucid_block"}, "chain must be lucid_blocks"),
        ({"nodes": ()}, "nodes must name at least one node"),
        ({"nodes": (GenesisNode(KEYS[0], "a"), GenesisNode(KEYS[0], "b"))}, "nodes names a key twice"),
        ({"nodes": (GenesisNode(KEYS[0], ""),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "n" * 65),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "ß" * 33),)}, "nodes has a bad name length"),
        ({"nodes": (GenesisNode(KEYS[0], "a", "p" * 65),)}, "nodes has a bad pool length"),
        ({"administrators": (KEYS[2], KEYS[2])}, "administrators names a key twice"),
        ({"threshold": 3}, "threshold exceeds the number of administrators"),
        ({"threshold": 0}, "threshold must be at least 1"),
        ({"administrators": (), "threshold": 1}, "threshold exceeds the number of administrators"),
    ],
)
def test_who_starts_a_chain(changes: dict[str, Any], wish: str) -> None:
    assert complaint(structs.replace(GENESIS, **changes)) == wish


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes": (GenesisNode(KEYS[0], "n" * 64, "p" * 64),)},
        {"nodes": (GenesisNode(KEYS[0], "ß" * 32, ""),)},
        {"nodes": (GenesisNode(KEYS[0], "same"), GenesisNode(KEYS[1], "same"))},
        {"administrators": (), "threshold": 0},
        {"threshold": 1},
        {"administrators": (KEYS[0],), "threshold": 1},
        {"genesis_time_ms": 0},
    ],
)
def test_who_may_start_a_chain(changes: dict[str, Any]) -> None:
    genesis = structs.replace(GENESIS, **changes)
    assert decode_genesis(encode(genesis)) == genesis


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"genesis_time_ms": -1}, "$[0]"),
        ({"genesis_time_ms": 2**53 + 1}, "$[0]"),
        ({"nodes": (GenesisNode(bytes(31), "a"),)}, "$[1][0][0]"),
        ({"administrators": (bytes(33),)}, "$[2][0]"),
        ({"threshold": -1}, "$[3]"),
    ],
)
def test_a_document_of_the_wrong_shape_is_a_genesis_error_that_says_where(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(GenesisError) as error:
        decode_genesis(encode(structs.replace(GENESIS, **changes)))
    assert place in error.value.detail


def test_a_document_that_is_not_canonical_is_a_genesis_error() -> None:
    with pytest.raises(GenesisError, match="not the canonical encoding"):
        decode_genesis(encode((1, ((KEYS[0], "a", ""),))))
    with pytest.raises(GenesisError):
        decode_genesis(b"")


def test_the_chain_id_hashes_the_whole_document() -> None:
    hasher = blake3(derive_key_context="lucid genesis v1")
    hasher.update(pack(GENESIS))
    assert GENESIS.chain_id == hasher.digest()


@pytest.mark.parametrize("field", Genesis.__struct_fields__)
def test_another_document_is_another_chain(field: str) -> None:
    others = {
        "genesis_time_ms": 1,
        "nodes": GENESIS.nodes[::-1],
        "administrators": GENESIS.administrators[::-1],
        "threshold": 1,
        "parameters": Parameters(vote_credits=2),
        "chain": "other",
    }
    assert structs.replace(GENESIS, **{field: others[field]}).chain_id != GENESIS.chain_id


def test_a_document_of_rules_is_one_of_a_kind_of_its_own_but_for_the_first_rules() -> None:
    assert beginning_with(GENESIS, 1) is GENESIS
    newer = beginning_with(GENESIS, 3)
    assert newer.rules == Activation(3) and decode_genesis(encode(newer)) == newer
    assert all(getattr(newer, name) == getattr(GENESIS, name) for name in Genesis.__struct_fields__)
    assert len({GENESIS.chain_id, newer.chain_id, beginning_with(GENESIS, 4).chain_id}) == 3


def test_ticks() -> None:
    assert GENESIS.tick_ms(0) == 1_700_000_000_000
    assert GENESIS.tick_ms(3) == 1_700_000_030_000
    assert GENESIS.tick_at(1_700_000_029_999) == 2
    assert GENESIS.tick_at(1_700_000_030_000) == 3
    assert GENESIS.tick_at(0) == 0
    assert GENESIS.tick_at(1_699_999_999_999) == 0


@given(now_ms=st.integers(1_700_000_000_000, 2**53))
def test_a_tick_holds_the_times_from_its_beginning_to_the_next(now_ms: int) -> None:
    tick = GENESIS.tick_at(now_ms)
    assert GENESIS.tick_ms(tick) <= now_ms < GENESIS.tick_ms(tick + 1)
