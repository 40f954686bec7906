"""Genesis documents as TOML: what is written reads back the same, and what is wrong is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.document import parse_genesis, print_genesis
from lucid.chain.errors import GenesisError
from lucid.chain.genesis import NAME_BYTES, Genesis, GenesisNode
from lucid.chain.parameters import Parameters

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=16).filter(lambda s: len(s.encode()) <= NAME_BYTES)


def genesis(**values: object) -> Genesis:
    """A small valid one."""
    return structs.replace(Genesis(1_760_000_000_000, (GenesisNode(bytes(32), "pi"),)), **values)


@given(
    time_ms=st.integers(0, 2**53),
    nodes=st.lists(st.tuples(st.binary(min_size=32, max_size=32), NAMES, NAMES | st.just("")), min_size=1, max_size=5),
    administrators=st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=3),
    interval=st.integers(1_000, 60_000),
)
def test_what_is_printed_is_parsed_to_the_same_chain(
    time_ms: int, nodes: list[tuple[bytes, str, str]], administrators: list[bytes], interval: int
) -> None:
    members = {key: GenesisNode(key, name, pool) for key, name, pool in nodes}
    parameters = Parameters(block_interval_ms=interval, slot_duration_ms=12 * interval)
    made = Genesis(time_ms, tuple(members.values()), tuple(administrators), len(administrators), parameters)
    again = parse_genesis(print_genesis(made))
    assert again == made and again.chain_id == made.chain_id


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_genesis_or_a_genesis_error(text: str) -> None:
    with pytest.raises(GenesisError):
        parse_genesis(text)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("chain =", "chains =", "chains"),
        ('"lucid_blocks"', '"other"', "chain must be"),
        ("genesis_time_ms = 1", "genesis_time_ms = -1", "genesis_time_ms"),
        ("genesis_time_ms = 1760000000000", 'genesis_time_ms = "now"', "genesis_time_ms"),
        ("cooldown_slots = 16", "cooldown_slots = 7", "parameters.cooldown_slots"),
        ("cooldown_slots = 16", "cooldown = 16", "parameters.cooldown"),
        ("cooldown_slots = 16", "cooldown_slots = -16", "parameters.cooldown_slots"),
        ("00" * 32, "00" * 31, "nodes[0].key"),
        ("00" * 32, "zz" * 32, "nodes[0].key"),
        ("00" * 32, "00 " * 21 + "0", "nodes[0].key"),
        ("administrators = []", 'administrators = ["aa"]', "administrators[0]"),
        ("[[nodes]]", "[[nodes", "TOML"),
        ('name = "pi"', 'name = ""', "nodes"),
        ("threshold = 0", "threshold = 1", "threshold"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, named: str) -> None:
    text = print_genesis(genesis())
    assert old in text
    with pytest.raises(GenesisError, match=named.replace("[", r"\[")):
        parse_genesis(text.replace(old, new, 1))
