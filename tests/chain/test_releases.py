"""What an owner signs to have chunks let go: nothing of it can be taken for another session, owner, chain or time."""

from __future__ import annotations

from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from lucid.chain.ed25519 import ed25519_public_key, ed25519_sign, ed25519_verify
from lucid.chain.releases import MAX_AHEAD_MS, release_message

ids = st.binary(min_size=32, max_size=32)
sessions = st.binary(min_size=16, max_size=16)
releases = st.tuples(ids, sessions, ids, st.integers(0, 2**53))
SECRET = bytes(range(32))


@given(releases)
def test_it_is_what_the_protocol_says(release: tuple[bytes, bytes, bytes, int]) -> None:
    preimage = msgpack.encode(release)
    assert release_message(*release) == blake3(preimage, derive_key_context="lucid session release v1").digest()


@given(releases, releases)
def test_another_release_is_another_message(
    one: tuple[bytes, bytes, bytes, int], other: tuple[bytes, bytes, bytes, int]
) -> None:
    assert (release_message(*one) == release_message(*other)) is (one == other)


@settings(max_examples=40)
@given(releases, st.integers(0, 3))
def test_a_signature_of_one_holds_for_no_other(release: tuple[bytes, bytes, bytes, int], part: int) -> None:
    key, signature = ed25519_public_key(SECRET), ed25519_sign(SECRET, release_message(*release))
    assert ed25519_verify(key, release_message(*release), signature)
    chain, session, owner, until_ms = release
    changed = [(chain[::-1] + b"\0", session, owner, until_ms), (chain, session[:-1], owner, until_ms)]
    changed += [(chain, session, owner + b"\0", until_ms), (chain, session, owner, until_ms + 1)]
    assert not ed25519_verify(key, release_message(*changed[part]), signature)


def test_a_release_lasts_a_day_at_most() -> None:
    assert MAX_AHEAD_MS == 86_400_000, "protocol section 8: what was signed long ago is not replayed"
