"""Receipts and manifests that were changed: none proves anything but what the true one does, and none costs much."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

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


class Forgery:
    """Two true receipts, one of them across epochs, one without its manifest, and the manifest, to be changed."""

    def __init__(self) -> None:
        net = self.net = Notary()
        receipts = [net.receipt(), net.later_receipt(), net.receipt(net.receipt().transaction, b"")]
        printed = [print_receipt(receipt, net.genesis) for receipt in receipts]
        self.documents = [json.loads(each) for each in printed]
        self.truths = [verify_receipt(each, net.genesis, CRYPTO) for each in printed]
        self.manifest = json.loads(net.manifest())
        self.anchor = check_manifest(net.manifest(), net.genesis.chain_id, CRYPTO).anchor

    def attempt(self, random: Random) -> None:
        """Change one of them and have it checked."""
        began = time.thread_time()
        change = random.choice([self._receipt] * 3 + [self._manifest] * 2 + [self._chunk])
        change(random)
        assert time.thread_time() - began < MOST_S, "it took long"

    def _receipt(self, random: Random) -> None:
        number = random.randrange(len(self.documents))
        try:
            verified = verify_receipt(_changed_receipt(random, self.documents[number]), self.net.genesis, CRYPTO)
        except Refusal as refusal:
            assert str(refusal).isprintable(), "a refusal that a terminal would act on"
            return
        true = self.truths[number]
        # A manifest may be left off: it proves less then.
        assert verified in (true, true._replace(manifest=None)), "a changed receipt proves something else"

    def _manifest(self, random: Random) -> None:
        try:
            checked = check_manifest(changed(random, self.manifest), self.net.genesis.chain_id, CRYPTO)
        except Refusal as refusal:
            assert str(refusal).isprintable(), "a refusal that a terminal would act on"
            return
        assert checked.anchor == self.anchor, "the owner signed something else"

    def _chunk(self, random: Random) -> None:
        data = random.choice(CHUNKS)
        other = spoiled(random, data)
        try:
            check_chunk(self.truths[0], other, "it")
        except Refusal:
            assert other not in CHUNKS
        else:
            assert other in CHUNKS, "other bytes are a chunk of the session"


@contextmanager
def target() -> Iterator[Attempt]:
    """Receipts and a manifest, which are changed."""
    yield Forgery().attempt


def _changed_receipt(random: Random, true: dict[str, Any]) -> bytes:
    """A receipt with one of its records changed, or anything in it."""
    if random.random() >= 0.5:
        return changed(random, true)
    document = dict(true)
    field = random.choice(RECORDS)
    held = document[field]
    if isinstance(held, str):
        document[field] = _record(random, held)
    elif held:
        at = random.randrange(len(held))
        document[field] = [*held[:at], _record(random, held[at]), *held[at + 1 :]]
    return json.dumps(document).encode()


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
