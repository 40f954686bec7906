"""A validator's heartbeats: that it was up in a slot, signed by it (protocol section 6, `uptime_beacon`)."""

from __future__ import annotations

from msgspec import structs

from lucid.chain.hashing import ZERO_DIGEST
from lucid.chain.keys import Crypto
from lucid.chain.parameters import Parameters
from lucid.chain.transactions import UptimeBeacon, claim_message
from lucid.ledger.turn import slot_in_epoch
from lucid.machines.effects import ViewContext


class Heartbeats:
    """Those of one key: one a slot, in the first view of it that the key's node enters."""

    def __init__(self, secret: bytes, key: bytes, chain_id: bytes, parameters: Parameters, crypto: Crypto) -> None:
        self._secret = secret
        self._key = key
        self._chain_id = chain_id
        self._parameters = parameters
        self._crypto = crypto
        self._slot = (0, -1)
        """(epoch, slot in it) of the last one."""

    def beat(self, context: ViewContext) -> UptimeBeacon | None:
        """The heartbeat of the slot that a validator is in; None where it has had one, or an epoch is being closed."""
        slot = (context.epoch, slot_in_epoch(context.view, self._parameters))
        # While an epoch is being closed no block carries transactions, and one heartbeat a slot is all that counts.
        if slot == self._slot or context.closing:
            return None
        self._slot = slot
        blank = UptimeBeacon(
            node=self._key,
            epoch=context.epoch,
            slot=slot[1],
            block=context.parent or ZERO_DIGEST,
            signature=bytes(64),
        )
        return structs.replace(blank, signature=self._crypto.sign(self._secret, claim_message(self._chain_id, blank)))
