"""Receipts and manifests that were changed: none proves anything but what the true one does, and none costs much."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import msgspec

from fuzz.jsons import changed
from fuzz.targets import Attempt
from fuzz.values import spoiled
from harness.notary import CHUNKS, CRYPTO, Notary
from lucid.chain.errors import Refusal
from lucid.chain.manifests import check_manifest
from lucid.chain.receipts import check_chunk, print_receipt, verify_receipt

MOST_S = 2.0
"""How long the refusal of a small document may take, on a busy machine too."""
RECORDS = ("transaction", "certificate", "headers", "closings")


@contextmanager
def target() -> Iterator[Attempt]:
    """Two true receipts, one of them across epochs, and their manifest."""
    net = Notary()
    receipts = [net.receipt(), net.later_receipt(), net.receipt(net.receipt().transaction, b"")]
    documents = [json.loads(print_receipt(receipt, net.genesis)) for receipt in receipts]
    truths = [verify_receipt(print_receipt(receipt, net.genesis), net.genesis, CRYPTO) for receipt in receipts]
    manifest = json.loads(net.manifest())
    anchor = check_manifest(net.manifest(), net.genesis.chain_id, CRYPTO).anchor

    def receipt(random: Random) -> None:
        number = random.randrange(len(documents))
        document = dict(documents[number])
        if random.random() < 0.5:
            field = random.choice(RECORDS)
            held = document[field]
            if isinstance(held, str):
                document[field] = _record(random, held)
            elif held:
                at = random.randrange(len(held))
                document[field] = [*held[:at], _record(random, held[at]), *held[at + 1 :]]
            data = json.dumps(document).encode()
        else:
            data = changed(random, document)
        try:
            verified = verify_receipt(data, net.genesis, CRYPTO)
        except Refusal as refusal:
            assert str(refusal).isprintable(), "a refusal that a terminal would act on"
            return
        true = truths[number]
        # A manifest may be left off: it proves less then.
        assert verified in (true, true._replace(manifest=None)), "a changed receipt proves something else"

    def one_manifest(random: Random) -> None:
        try:
            checked = check_manifest(changed(random, manifest), net.genesis.chain_id, CRYPTO)
        except Refusal as refusal:
            assert str(refusal).isprintable(), "a refusal that a terminal would act on"
            return
        assert checked.anchor == anchor, "the owner signed something else"

    def chunk(random: Random) -> None:
        data = random.choice(CHUNKS)
        other = spoiled(random, data)
        try:
            check_chunk(truths[0], other, "it")
        except Refusal:
            assert other not in CHUNKS
        else:
            assert other in CHUNKS, "other bytes are a chunk of the session"

    def attempt(random: Random) -> None:
        began = time.thread_time()
        random.choice([receipt, receipt, receipt, one_manifest, one_manifest, chunk])(random)
        assert time.thread_time() - began < MOST_S, "it took long"

    yield attempt


def _record(random: Random, text: str) -> str:
    """An encoded record with something changed: its bytes, or a value in it and all the rest as it was."""
    data = bytes.fromhex(text)
    if random.random() < 0.5:
        return spoiled(random, data).hex()
    return msgspec.msgpack.encode(_nudged(random, msgspec.msgpack.decode(data))).hex()


def _nudged(random: Random, value: object) -> object:
    if isinstance(value, list) and value:
        at = random.randrange(len(value))
        return [*value[:at], _nudged(random, value[at]), *value[at + 1 :]]
    if isinstance(value, bytes):
        return spoiled(random, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, value + random.choice([-1, 1, 2**40]))
    return random.choice([None, 0, b"", "", []])
