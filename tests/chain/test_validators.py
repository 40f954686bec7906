"""The validator set: its order, its hash, and a quorum that any two of share an honest node."""

from __future__ import annotations

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.validators import ValidatorSet
from tests.messagepack import pack

KEYS = tuple(bytes([number]) * 32 for number in range(10))


def test_a_validator_has_the_place_of_its_key() -> None:
    validators = ValidatorSet((KEYS[2], KEYS[0], KEYS[1]))
    assert validators.keys == KEYS[:3]
    assert validators.index == {KEYS[0]: 0, KEYS[1]: 1, KEYS[2]: 2}
    assert len(validators) == 3


@given(keys=st.permutations(KEYS))
def test_the_hash_is_of_the_keys_in_order_and_of_nothing_else(keys: list[bytes]) -> None:
    hasher = blake3(derive_key_context="lucid validators v1")
    hasher.update(pack(KEYS))
    assert ValidatorSet(tuple(keys)).hash == hasher.digest()
    assert ValidatorSet(tuple(keys[1:])).hash != hasher.digest()


@pytest.mark.parametrize(
    ("size", "quorum"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (8, 6), (9, 7), (10, 7)]
)
def test_quorum(size: int, quorum: int) -> None:
    assert ValidatorSet(KEYS[:size]).quorum == quorum


@given(size=st.integers(1, 400))
def test_two_quorums_share_an_honest_validator_and_the_honest_are_a_quorum(size: int) -> None:
    quorum = ValidatorSet(tuple(number.to_bytes(32, "big") for number in range(size))).quorum
    byzantine = (size - 1) // 3  # the most that are fewer than a third
    assert 2 * quorum - size > byzantine
    assert size - byzantine >= quorum


@pytest.mark.parametrize("keys", [(), (KEYS[0], KEYS[1], KEYS[0])])
def test_a_set_names_each_node_once_and_at_least_one(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(AssertionError, match="names each node once"):
        ValidatorSet(keys)
