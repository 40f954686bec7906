"""Sealed chunks open only where they belong, under one key only."""

from __future__ import annotations

import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from lucid.client.sealing import (
    OVERHEAD_BYTES,
    Unsealable,
    check_key,
    key_commitment,
    seal,
    session_key,
    unseal,
    unseal_first,
)

OWNER = bytes(range(32))
SESSION, OTHER = UUID(int=1, version=4), UUID(int=2, version=4)
KEY = session_key(OWNER, SESSION)


def test_a_chunk_opens_only_in_its_session_and_place_and_as_the_last_if_it_is() -> None:
    sealed = seal(KEY, SESSION, 3, b"secret", last=True)
    assert len(sealed) == 6 + OVERHEAD_BYTES
    assert unseal(KEY, SESSION, 3, sealed, last=True) == b"secret"
    for key, session, place, last in (
        (KEY, SESSION, 3, False),
        (KEY, SESSION, 4, True),
        (KEY, OTHER, 3, True),
        (session_key(OWNER, OTHER), SESSION, 3, True),
    ):
        with pytest.raises(Unsealable, match="6023"):
            unseal(key, session, place, sealed, last)
    with pytest.raises(Unsealable):
        unseal_first(KEY, SESSION, 3, sealed)


@given(st.binary(max_size=200), st.integers(0, 10**6), st.booleans(), st.data())
def test_anything_comes_back_and_nothing_changed_does(data: bytes, place: int, last: bool, draw: st.DataObject) -> None:
    sealed = seal(KEY, SESSION, place, data, last)
    assert unseal(KEY, SESSION, place, sealed, last) == data
    assert seal(KEY, SESSION, place, data, last) == sealed, "the same again is the same chunk"
    changed = bytearray(sealed)
    changed[draw.draw(st.integers(0, len(sealed) - 1))] ^= draw.draw(st.integers(1, 255))
    for broken in (bytes(changed), sealed[: draw.draw(st.integers(0, len(sealed) - 1))], sealed + b"\0"):
        with pytest.raises(Unsealable):
            unseal(KEY, SESSION, place, broken, last)


def test_no_two_chunks_share_a_nonce() -> None:
    nonces = {
        seal(key, session, place, data, last)[:24]
        for key in (KEY, bytes(32))
        for session in (SESSION, OTHER)
        for place in range(3)
        for data in (b"", b"x", b"y")
        for last in (False, True)
    }
    assert len(nonces) == 2 * 2 * 3 * 3 * 2


def test_the_manifest_commits_to_one_key() -> None:
    commitment = key_commitment(KEY, SESSION).hex()
    check_key(KEY, SESSION, commitment)
    check_key(os.urandom(32), SESSION, None)
    for key, session in ((bytes(32), SESSION), (KEY, OTHER)):
        with pytest.raises(Unsealable, match="not the session's key"):
            check_key(key, session, commitment)


def test_chunks_that_the_first_version_sealed_still_open() -> None:
    nonce, about = os.urandom(24), SESSION.bytes + (3).to_bytes(8, "big")
    sealed = nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(b"old", about, nonce, KEY)
    assert unseal_first(KEY, SESSION, 3, sealed) == b"old"
    for last in (False, True):
        with pytest.raises(Unsealable):
            unseal(KEY, SESSION, 3, sealed, last)
