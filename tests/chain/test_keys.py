"""The interface to keys, as a node's real ones keep it: what is signed holds, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.keys import Crypto
from lucid.poot.crypto import Edwards25519


@given(st.binary(min_size=32, max_size=32), st.binary(), st.data())
def test_any_flipped_bit_is_noticed(secret: bytes, message: bytes, data: st.DataObject) -> None:
    crypto: Crypto = Edwards25519()
    parts = [crypto.public_key(secret), message, crypto.sign(secret, message)]
    assert crypto.verify(*parts)
    part = data.draw(st.sampled_from([number for number, part in enumerate(parts) if part]))
    bit = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    flipped = int.from_bytes(parts[part], "little") ^ 1 << bit
    parts[part] = flipped.to_bytes(len(parts[part]), "little")
    assert not crypto.verify(*parts)
