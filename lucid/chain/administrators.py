"""Who decides about a chain's nodes and rules: so many of some keys together, which they may hand on to others.

Protocol section 6, `set_administrators`; the first ones are in the genesis document.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lucid.chain.codec import Record
from lucid.chain.errors import Code, Refusal
from lucid.chain.fields import Key, Natural
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.votes import Signature

MAX_ADMINISTRATORS = 64
"""Of a set that others decide on: their keys, and two signatures for each, are some 10 KiB of a block."""

AdministratorKeys = Annotated[tuple[Key, ...], Meta(max_length=MAX_ADMINISTRATORS)]
Approvals = tuple[tuple[Natural, Signature], ...]
"""Signatures, each with the place of its key in the set."""


class Administrators(Record):
    """Any `threshold` of these keys together decide."""

    keys: tuple[Key, ...]
    threshold: Natural

    def check_bounds(self) -> None:
        """Whether it may follow another set; raises `Refusal` with `TX_FIELD`."""
        if not 0 < len(self.keys) <= MAX_ADMINISTRATORS:
            raise Refusal(Code.TX_FIELD, f"administrators must be 1 to {MAX_ADMINISTRATORS}")
        if len(set(self.keys)) != len(self.keys):
            raise Refusal(Code.TX_FIELD, "an administrator is named twice")
        # Above their number nobody could ever decide again; 0 would let everybody in (section 6).
        if not 0 < self.threshold <= len(self.keys):
            raise Refusal(Code.TX_FIELD, f"threshold must be within 1..{len(self.keys)}")

    def check_signed(self, signatures: Approvals, message: bytes, crypto: Crypto) -> None:
        """Whether enough of them signed a message, each once; raises `Refusal`."""
        # Without administrators the threshold is 0, which must not let everybody in.
        if not self.keys or len(signatures) < self.threshold:
            raise Refusal(Code.TX_ADMIN_THRESHOLD)
        self.check_signatures(signatures, message, crypto)

    def check_signatures(
        self, signatures: Approvals, message: bytes, crypto: Crypto, who: str = "administrator"
    ) -> None:
        """Whether these hold, however few; raises `Refusal`, which calls each of them `who` and its place."""
        places = [place for place, _ in signatures]
        # Strictly ascending: nobody signs twice.
        if places != sorted(set(places)):
            raise Refusal(Code.TX_ADMIN_THRESHOLD, f"signatures must ascend, one for each {who}")
        # One who does not exist is a bad signature: it is checked where signatures are (section 11).
        for place, signature in signatures:
            if place >= len(self.keys) or not crypto.verify(self.keys[place], message, signature):
                raise Refusal(Code.TX_SIGNATURE, f"{who} {place}")


def first_administrators(genesis: Genesis) -> Administrators:
    """Those that the genesis document names; they decide until they have decided on others."""
    return Administrators(genesis.administrators, genesis.threshold)
