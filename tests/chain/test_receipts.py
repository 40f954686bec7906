"""What a receipt proves and what none can: every check by what only it refuses, and every field by changing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from harness.notary import CHUNKS, CRYPTO, OWNER, SESSION, Notary
from lucid.chain.blocks import Header
from lucid.chain.chunks import chunk_id, session_root
from lucid.chain.codec import decode
from lucid.chain.errors import Code, LucidError, Refusal
from lucid.chain.hashing import manifest_digest
from lucid.chain.manifests import check_manifest
from lucid.chain.receipts import (
    MAX_RECEIPT_BYTES,
    Receipt,
    _check_checkpoint,
    check_chunk,
    print_receipt,
    verify_receipt,
    verify_session_receipt,
    with_manifest,
)
from lucid.chain.strictjson import MAX_VALUES
from lucid.chain.transactions import SessionAnchor, UptimeBeacon, claim_message

NET = Notary()
RECEIPT = NET.receipt()
LATER = NET.later_receipt()
PACKED = ("transaction", "certificate", "headers", "closings")
"""Fields of a receipt whose texts are encoded records."""


def printed(receipt: Receipt) -> bytes:
    """The receipt's document."""
    return print_receipt(receipt, NET.genesis)


def code_of(receipt: Receipt | bytes, checkpoint: bytes | None = None) -> Code:
    """The code with which a receipt is refused."""
    data = receipt if isinstance(receipt, bytes) else printed(receipt)
    with pytest.raises(Refusal) as caught:
        verify_receipt(data, NET.genesis, CRYPTO, checkpoint)
    return caught.value.code


def anchored(**changes: Any) -> SessionAnchor:
    """The session's anchor with some fields changed, which its owner signed."""
    anchor = structs.replace(check_manifest(NET.manifest(), NET.genesis.chain_id, CRYPTO).anchor, **changes)
    return structs.replace(anchor, signature=CRYPTO.sign(OWNER, claim_message(NET.genesis.chain_id, anchor)))


# -- the manifest ------------------------------------------------------------------------------------------------------


def test_a_receipt_proves_its_session_and_its_chunks() -> None:
    for receipt in (RECEIPT, LATER):
        verified = verify_receipt(printed(receipt), NET.genesis, CRYPTO)
        assert verified.hash == receipt.headers[0].hash
        assert [check_chunk(verified, data, "it") for data in CHUNKS] == [0, 1, 2]
        with pytest.raises(Refusal, match=r"6024.*it"):
            check_chunk(verified, CHUNKS[0] + b"x", "it")


@pytest.mark.parametrize(
    "changes",
    [
        {"session": bytes(6) + b"\x40\x00\x80" + bytes(7)},
        {"started_ms": 4},
        {"ended_ms": 10},
        {"root": session_root([chunk_id(CHUNKS[0])])},
        {"chunks": 1},
        {"total_bytes": 1},
        {"policy": bytes(32)},
    ],
)
def test_the_manifest_is_compared_with_the_anchor_in_all_its_fields(changes: dict[str, Any]) -> None:
    """The owner's own anchor holds the manifest's hash, and contradicts it: two chunk lists would prove."""
    transaction = NET.transaction(anchored(**changes))
    bare = verify_receipt(printed(NET.receipt(transaction, b"")), NET.genesis, CRYPTO)
    assert bare.transaction == transaction and bare.manifest is None, "without a manifest nothing contradicts"
    assert code_of(NET.receipt(transaction)) is Code.RECEIPT_INVALID


def test_a_chunk_has_the_size_that_the_manifest_says() -> None:
    chunks = [{"index": 0, "size": len(CHUNKS[0]) + 1, "id": chunk_id(CHUNKS[0]).hex()}]
    verified = verify_receipt(printed(NET.receipt(manifest=NET.manifest(chunks=chunks))), NET.genesis, CRYPTO)
    with pytest.raises(Refusal, match="6024"):
        check_chunk(verified, CHUNKS[0], "it")


def test_a_receipt_without_its_manifest_tells_of_no_chunk() -> None:
    with pytest.raises(Refusal, match="no manifest") as caught:
        check_chunk(verify_receipt(printed(RECEIPT), NET.genesis, CRYPTO)._replace(manifest=None), CHUNKS[0], "it")
    assert caught.value.code is Code.RECEIPT_INVALID


@pytest.mark.parametrize("field", ["chunk_count", "total_bytes", "merkle_root", "index", "ended_ms", "owner"])
def test_a_manifest_that_contradicts_itself_proves_nothing_though_its_hash_was_anchored(field: str) -> None:
    fields = json.loads(NET.manifest())
    if field == "index":
        fields["chunks"][1]["index"] = 7
    else:
        fields[field] = "00" * 32 if isinstance(fields[field], str) else 1
    del fields["signature"]
    data = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    anchor = anchored(manifest=manifest_digest(data))
    manifest = json.dumps({**fields, "signature": anchor.signature.hex()}).encode()
    assert 6000 < code_of(NET.receipt(NET.transaction(anchor), manifest)) < 6020


def test_the_owner_signs_the_anchor_with_or_without_a_manifest() -> None:
    anchor = structs.replace(anchored(), signature=bytes(64))
    assert code_of(NET.receipt(NET.transaction(anchor), b"")) is Code.RECEIPT_INVALID
    stranger = structs.replace(anchored(), owner=CRYPTO.public_key(bytes(32)))
    assert code_of(NET.receipt(NET.transaction(stranger), b"")) is Code.RECEIPT_INVALID


def test_only_a_session_has_a_manifest() -> None:
    beat = structs.replace(
        NET.transaction(anchored()), payload=UptimeBeacon(NET.first.keys[0], 0, 0, bytes(32), bytes(64))
    )
    assert verify_receipt(printed(NET.receipt(beat, b"")), NET.genesis, CRYPTO).manifest is None
    assert code_of(NET.receipt(beat)) is Code.RECEIPT_INVALID


# -- headers and checkpoints -------------------------------------------------------------------------------------------


def test_headers_follow_each_other() -> None:
    one, two, three = RECEIPT.headers
    stray = NET.header(2, bytes(32))
    for headers in (
        (one, stray, NET.header(3, stray.hash)),
        (one, two, NET.header(3, one.hash)),
        (one, three),
        (one, NET.header(9, one.hash)),
    ):
        receipt = RECEIPT._replace(headers=headers, certificate=NET.certify(headers[-1]))
        assert code_of(receipt) is Code.RECEIPT_INVALID


def test_a_checkpoint_counts_from_the_transactions_block_on() -> None:
    for header in RECEIPT.headers:
        assert verify_receipt(printed(RECEIPT), NET.genesis, CRYPTO, header.hash).height == 1
    beyond = NET.header(4, RECEIPT.headers[-1].hash)
    assert code_of(RECEIPT, beyond.hash) is Code.RECEIPT_CHECKPOINT
    reaching = RECEIPT._replace(headers=(*RECEIPT.headers, beyond), certificate=NET.certify(beyond))
    assert verify_receipt(printed(reaching), NET.genesis, CRYPTO, beyond.hash).height == 1
    assert code_of(RECEIPT, bytes(32)) is Code.RECEIPT_CHECKPOINT
    assert code_of(RECEIPT, NET.genesis.chain_id) is Code.RECEIPT_CHECKPOINT, "genesis is before everything"


def test_a_true_closing_vouches_for_nothing_that_comes_after_it() -> None:
    """Leaked keys of a later epoch forge a branch on the true closing; that closing is not a checkpoint for it."""
    closing = NET.header(1, NET.genesis.chain_id, view=NET.closing_view, next_validators=NET.second.hash)
    forged = NET.header(
        2, bytes(32), (RECEIPT.transaction,), epoch=1, validators=NET.second.hash, next_validators=NET.second.hash
    )
    receipt = Receipt(
        RECEIPT.transaction,
        0,
        1,
        (),
        (forged,),
        NET.certify(forged, NET.second),
        (NET.close(closing, NET.second),),
    )
    assert verify_receipt(printed(receipt), NET.genesis, CRYPTO).height == 2, "nothing else tells it from a true one"
    assert code_of(receipt, closing.hash) is Code.RECEIPT_CHECKPOINT


def detail_of(receipt: Receipt | bytes, checkpoint: bytes | None = None) -> str:
    """What is said of a receipt that is refused, besides its code."""
    data = receipt if isinstance(receipt, bytes) else printed(receipt)
    with pytest.raises(Refusal) as caught:
        verify_receipt(data, NET.genesis, CRYPTO, checkpoint)
    return caught.value.detail


def with_fields(**changes: Any) -> bytes:
    """The receipt's document with other fields."""
    return msgspec.json.encode(json.loads(printed(RECEIPT)) | changes)


def test_a_refusal_says_what_does_not_hold() -> None:
    one, _, three = RECEIPT.headers
    assert detail_of(with_fields(lucid_receipt=2)) == "version 2; this is 1"
    assert detail_of(with_fields(chain="00" * 32)) == "it is of another chain"
    assert detail_of(with_fields(session="00" * 16)) == "what it says for people is not what it proves"
    assert detail_of(with_fields(certificate="zz")).startswith("non-hexadecimal number")
    upper = json.loads(printed(RECEIPT))["certificate"].upper()
    assert detail_of(with_fields(certificate=upper)) == "something in it is no lower-case hexadecimal"
    assert detail_of(with_fields(path=["00" * 32])) == "the transaction is not in the block"
    apart = RECEIPT._replace(headers=(one, three), certificate=NET.certify(three))
    assert detail_of(apart) == "a header does not follow the one before it"
    unsigned = NET.receipt(NET.transaction(structs.replace(anchored(), signature=bytes(64))), b"")
    assert detail_of(unsigned) == "the owner's signature does not hold"
    told = detail_of(NET.receipt(NET.transaction(anchored(chunks=1, total_bytes=1))))
    assert told == "its manifest is not the one that was anchored: chunks, total_bytes, signature"
    beat = structs.replace(
        NET.transaction(anchored()), payload=UptimeBeacon(NET.first.keys[0], 0, 0, bytes(32), bytes(64))
    )
    assert detail_of(NET.receipt(beat)) == "a manifest, but no session"
    with pytest.raises(Refusal, match=r"\(it holds no manifest, which would show what the chunks are\)$"):
        check_chunk(verify_receipt(printed(RECEIPT._replace(manifest=b"")), NET.genesis, CRYPTO), CHUNKS[0], "a")


def test_a_receipt_without_headers_is_refused_before_anything_is_looked_up_in_them() -> None:
    data = with_fields(headers=[])
    assert (code_of(data), detail_of(data)) == (Code.RECEIPT_INVALID, "it has no header")


def test_a_checkpoint_that_is_not_reached_is_told_from_one_that_lies_before() -> None:
    last = RECEIPT.headers[-1]
    reaches = f"its headers are those of blocks 1 to {last.height}; a node makes one that goes further"
    assert detail_of(RECEIPT, bytes(32)).startswith(reaches)
    closing = decode(LATER.closings[0].header, Header)
    first = LATER.headers[0].height
    assert detail_of(LATER, closing.hash) == f"it is block {closing.height}, before the transaction's, {first}"
    assert detail_of(LATER, bytes(32)).startswith(f"its headers are those of blocks {first} to ")
    assert detail_of(LATER, bytes(32)).endswith("(?checkpoint=HASH)")


def test_a_closing_at_the_height_of_the_transaction_is_not_before_it() -> None:
    """Its own block, of another branch: what is said must not be that it lies before."""
    closing = decode(LATER.closings[0].header, Header)
    level = LATER._replace(headers=(structs.replace(LATER.headers[0], height=closing.height),))
    with pytest.raises(Refusal) as caught:
        _check_checkpoint(level, closing.hash)
    assert caught.value.detail.startswith(f"its headers are those of blocks {closing.height} to {closing.height};")


def test_a_printed_receipt_can_be_given_its_manifest_and_people_can_read_it() -> None:
    whole, bare = printed(RECEIPT), printed(RECEIPT._replace(manifest=b""))
    assert with_manifest(bare, RECEIPT.manifest) == whole
    assert whole.startswith(b'{\n "lucid_receipt": 1,\n "chain": "') and whole.endswith(b"\n}\n")
    with pytest.raises(Refusal):
        with_manifest(b"{}", RECEIPT.manifest)


def test_a_session_receipt_is_of_that_session_and_that_owner() -> None:
    key = CRYPTO.public_key(OWNER)
    data = printed(RECEIPT)
    assert verify_session_receipt(data, NET.genesis, CRYPTO, SESSION.bytes, key) == RECEIPT.transaction.payload
    wrong = ((bytes(16), key, "it is of another session"), (SESSION.bytes, bytes(32), "this session's owner is"))
    for session, owner, says in wrong:
        with pytest.raises(Refusal) as caught:
            verify_session_receipt(data, NET.genesis, CRYPTO, session, owner)
        assert caught.value.code is Code.RECEIPT_OTHER
        assert says == caught.value.detail or caught.value.detail.startswith(says)


def test_a_session_receipt_reaches_the_checkpoint_too() -> None:
    arguments = (printed(RECEIPT), NET.genesis, CRYPTO, SESSION.bytes, CRYPTO.public_key(OWNER))
    assert verify_session_receipt(*arguments, RECEIPT.headers[-1].hash) == RECEIPT.transaction.payload
    with pytest.raises(Refusal) as caught:
        verify_session_receipt(*arguments, bytes(32))
    assert caught.value.code is Code.RECEIPT_CHECKPOINT


# -- the document ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", json.loads(printed(RECEIPT)))
def test_a_key_twice_is_refused_wherever_it_stands(field: str) -> None:
    document = json.loads(printed(RECEIPT))
    twice = json.dumps({field: document[field]})[1:-1].encode()
    plain = json.dumps(document).encode()
    for data in (b"{" + twice + b"," + plain[1:], plain[:-1] + b"," + twice + b"}"):
        assert code_of(data) is Code.RECEIPT_INVALID
    assert code_of(plain[:-1] + b',"\\u0073ession":1}') is Code.RECEIPT_INVALID


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"{",
        b'{"a":' * 50_000,
        b"[" * 100_000,
        b'{"path":[' + b'"",' * MAX_VALUES + b'""]}',
        b'{"lucid_receipt":' + b"[" * (MAX_VALUES + 1),
        json.dumps({**json.loads(printed(RECEIPT)), "more": 1}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "height": 1.0}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "height": 10**40}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "manifest": "\ud800"}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "path": ["\ud800"]}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "\ud800": 1}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "chain": NET.genesis.chain_id.hex().upper()}).encode(),
        json.dumps({**json.loads(printed(RECEIPT)), "path": [f" {x}" for x in json.loads(printed(RECEIPT))["path"]]}),
        bytes(MAX_RECEIPT_BYTES + 1),
    ],
)
def test_what_is_no_receipt_is_refused_with_a_code(data: bytes | str) -> None:
    assert code_of(data.encode() if isinstance(data, str) else data) is Code.RECEIPT_INVALID


def test_what_a_terminal_would_act_on_is_escaped_in_a_refusal() -> None:
    name = "\x1b[2K\r\nsession is final\x07\u202e\x9b"
    data = json.dumps({**json.loads(printed(RECEIPT)), name: 1}).encode()
    with pytest.raises(Refusal) as caught:
        verify_receipt(data, NET.genesis, CRYPTO)
    assert str(caught.value).isprintable() and "\\x1b[2K" in str(caught.value)
    long = json.dumps({"x" * 100_000: 1}).encode()
    with pytest.raises(Refusal) as caught:
        verify_receipt(long, NET.genesis, CRYPTO)
    assert len(str(caught.value)) < 3_000


# -- every field -------------------------------------------------------------------------------------------------------


def unpacked(receipt: Receipt) -> dict[str, Any]:
    """A receipt's document with every record in it as lists and bytes, its manifest as JSON."""
    document = json.loads(printed(receipt))
    for field in PACKED:
        texts = document[field]
        document[field] = _records(texts) if isinstance(texts, str) else [_records(each) for each in texts]
    for closing in document["closings"]:
        closing[0] = msgspec.msgpack.decode(closing[0])
    document["manifest"] = json.loads(document["manifest"])
    return document  # type: ignore[no-any-return]


def _records(text: str) -> Any:
    return msgspec.msgpack.decode(bytes.fromhex(text))


def packed(document: dict[str, Any]) -> bytes:
    """The reverse of `unpacked`."""
    packed = dict(document)
    packed["closings"] = [[encode_(closing[0]), *closing[1:]] for closing in document["closings"]]
    for field in PACKED:
        whole = packed[field]
        nested = field in ("headers", "closings")
        packed[field] = [encode_(each).hex() for each in whole] if nested else encode_(whole).hex()
    packed["manifest"] = json.dumps(document["manifest"])
    return json.dumps(packed).encode()


def encode_(value: Any) -> bytes:
    """MessagePack of plain values."""
    return msgspec.msgpack.encode(value)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of everything that holds nothing further."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if not inside:
        yield path
        return
    for key, each in inside:
        yield from leaves(each, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """What is at a place."""
    for key in path:
        value = value[key]
    return value


@cache
def places(number: int) -> list[tuple[Any, ...]]:
    """All places of a sample."""
    return [path for path in leaves(unpacked((RECEIPT, LATER)[number])) if path not in (("index",), ("size",))]


def mutated(value: Any, draw: Any) -> Any:
    """Another value of the same type, or of none."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return draw(st.sampled_from([0, "x", [0], {"a": 0}]))
    if isinstance(value, int):
        return draw(st.integers(0, 2**53 - 1).filter(lambda other: other != value) | st.just(-1))
    if isinstance(value, str) and value:
        place = draw(st.integers(0, len(value) - 1))
        other = draw(st.sampled_from("0123456789abcdefg").filter(lambda mark: mark != value[place]))
        return draw(st.sampled_from([value[:place] + other + value[place + 1 :], value[:-1], value + "0", ""]))
    if isinstance(value, bytes) and value:
        changed = bytearray(value)
        changed[draw(st.integers(0, len(value) - 1))] ^= draw(st.integers(1, 255))
        return draw(st.sampled_from([bytes(changed), value[:-1], value + b"\0", b""]))
    return type(value)(draw(st.sampled_from(["x", "00"])).encode() if isinstance(value, bytes) else "x")


def test_unpacking_changes_nothing() -> None:
    for receipt in (RECEIPT, LATER):
        verified = verify_receipt(packed(unpacked(receipt)), NET.genesis, CRYPTO)
        assert verified == verify_receipt(printed(receipt), NET.genesis, CRYPTO)


@pytest.mark.slow
@settings(deadline=None, max_examples=600)
@given(st.data())
def test_any_single_changed_field_is_refused(data: Any) -> None:
    number = data.draw(st.integers(0, 1))
    document = unpacked((RECEIPT, LATER)[number])
    path = data.draw(st.sampled_from(places(number)))
    holder = at(document, path[:-1])
    holder[path[-1]] = mutated(holder[path[-1]], data.draw)
    with pytest.raises(LucidError):
        verify_receipt(packed(document), NET.genesis, CRYPTO)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_field_taken_out_of_or_put_into_a_receipt_is_refused(data: Any) -> None:
    number = data.draw(st.integers(0, 1))
    document = unpacked((RECEIPT, LATER)[number])
    path = data.draw(st.sampled_from([path for path in places(number) if path[0] != "path"]))
    holder = at(document, path[:-1])
    if isinstance(holder, dict) and data.draw(st.booleans()):
        holder["another"] = 0
    elif isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder.insert(path[-1], holder[path[-1]]) if data.draw(st.booleans()) else holder.pop(path[-1])
    with pytest.raises(LucidError):
        verify_receipt(packed(document), NET.genesis, CRYPTO)


@settings(deadline=None)
@given(st.integers(-2, 40), st.integers(-2, 40))
def test_place_and_size_prove_nothing_but_never_more(place: int, size: int) -> None:
    document = {**json.loads(printed(RECEIPT)), "index": place, "size": size}
    try:
        verified = verify_receipt(json.dumps(document).encode(), NET.genesis, CRYPTO)
    except Refusal:
        return
    assert verified == verify_receipt(printed(RECEIPT), NET.genesis, CRYPTO)


@settings(deadline=None)
@given(st.sampled_from(CHUNKS), st.data())
def test_a_changed_chunk_is_none_of_the_session(chunk: bytes, data: Any) -> None:
    verified = verify_receipt(printed(RECEIPT), NET.genesis, CRYPTO)
    changed = mutated(chunk, data.draw)
    with pytest.raises(Refusal):
        check_chunk(verified, changed, "it")
