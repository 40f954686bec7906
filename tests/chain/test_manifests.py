"""Manifests: what is accepted, what is refused and with which code, and that nothing but a refusal comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.errors import Code, Refusal
from lucid.chain.manifests import MAX_MANIFEST_BYTES, Manifest, check_manifest, sign_manifest
from lucid.poot.crypto import Edwards25519

CRYPTO = Edwards25519()
CHAIN, SECRET = bytes(32), bytes(range(32))
CHUNKS = [bytes([number]) * 2_000 for number in range(3)]
FIELDS: dict[str, Any] = {
    "session": "00000000-0000-4000-8000-000000000001",
    "started_ms": 5,
    "ended_ms": 9,
    "chunks": [{"index": place, "size": len(data), "id": chunk_id(data).hex()} for place, data in enumerate(CHUNKS)],
    "weather": {"sky": "gr\u00fcn", "\U0001f600": [None, True, -3]},
}
SIGNED = sign_manifest(FIELDS, SECRET, CHAIN, CRYPTO)


def test_a_manifest_holds_and_keeps_what_is_not_known_here() -> None:
    checked = check_manifest(SIGNED, CHAIN, CRYPTO)
    assert checked.canonical == SIGNED
    assert json.loads(SIGNED)["weather"] == FIELDS["weather"]
    assert checked.anchor.root == session_root([chunk_id(data) for data in CHUNKS])
    assert (checked.anchor.chunks, checked.anchor.total_bytes) == (3, 6_000)
    assert [chunk.id for chunk in checked.manifest.chunks] == [chunk_id(data).hex() for data in CHUNKS]
    spaced = json.dumps(dict(reversed(json.loads(SIGNED).items())), indent=3).encode()
    assert check_manifest(spaced, CHAIN, CRYPTO) == checked, "the form does not matter"


def changed(**fields: Any) -> bytes:
    """The signed manifest with some fields replaced."""
    return json.dumps({**json.loads(SIGNED), **fields}).encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.MANIFEST),
        (b"[]", Code.MANIFEST),
        (b"\xff", Code.MANIFEST),
        (b"[" * 100_000, Code.MANIFEST),
        (b'{"a":' * 40 + b"1" + b"}" * 40, Code.MANIFEST),
        (b" " * (MAX_MANIFEST_BYTES + 1), Code.MANIFEST),
        (b'{"a":[' + b"{}," * 1_000_000 + b"{}]}", Code.MANIFEST),
        (SIGNED[:-1] + b',"codec":"","codec":""}', Code.MANIFEST),
        (changed(weather=1.5), Code.MANIFEST),
        (changed(weather=float("nan")), Code.MANIFEST),
        (changed(weather=2**53), Code.MANIFEST),
        (changed(weather=10**30), Code.MANIFEST),
        (changed(weather="\ud800"), Code.MANIFEST),
        (changed(session="00000000-0000-1000-8000-000000000001"), Code.MANIFEST),
        (changed(owner="00"), Code.MANIFEST),
        (changed(lucid_manifest=2), Code.MANIFEST),
        (changed(chunks=[]), Code.MANIFEST),
        (changed(ended_ms=4), Code.MANIFEST),
        (changed(chunk_count=2), Code.MANIFEST_CHUNKS),
        (changed(total_bytes=2), Code.MANIFEST_CHUNKS),
        (changed(chunks=json.loads(SIGNED)["chunks"][::-1]), Code.MANIFEST_CHUNKS),
        (changed(merkle_root="00" * 32), Code.MANIFEST_ROOT),
        (changed(signature="00" * 64), Code.MANIFEST_SIGNATURE),
        (changed(weather="rain"), Code.MANIFEST_SIGNATURE),
        (changed(codec="other"), Code.MANIFEST_SIGNATURE),
    ],
)
def test_what_does_not_hold_is_refused_by_name(data: bytes, code: Code) -> None:
    with pytest.raises(Refusal) as caught:
        check_manifest(data, CHAIN, CRYPTO)
    assert caught.value.code is code


def test_it_is_bound_to_its_chain() -> None:
    with pytest.raises(Refusal, match="6004"):
        check_manifest(SIGNED, bytes([1]) * 32, CRYPTO)


@given(
    st.binary(max_size=300)
    | st.text().map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_nothing_but_a_refusal_comes_out(data: bytes) -> None:
    with pytest.raises(Refusal):
        check_manifest(data, CHAIN, CRYPTO)


@given(st.dictionaries(st.text(), st.integers(-(2**53) + 1, 2**53 - 1) | st.text()))
def test_any_further_fields_are_covered_by_the_signature(more: dict[str, Any]) -> None:
    known = {*FIELDS, *Manifest.__struct_fields__}
    fields = {key: value for key, value in more.items() if key not in known} | FIELDS
    signed = sign_manifest(fields, SECRET, CHAIN, CRYPTO)
    assert json.loads(signed)["session"] == FIELDS["session"]
    assert rfc8785.dumps(json.loads(signed)) == signed
