"""What a node's own data chain has it claim on the chain, signed with the node's key (protocol sections 5 and 6)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.fields import Natural
from lucid.chain.keys import Crypto
from lucid.chain.transactions import (
    SESSION_ID_BYTES,
    Answers,
    NodeCapacity,
    Ranges,
    RelayReceipt,
    ReplicaHolding,
    StorageProof,
    claim_message,
)
from lucid.machines.replicamessages import SESSION_BYTES
from lucid.services.web.problems import Problem
from lucid.services.web.requested import hex_bytes

SessionName = Annotated[str, Meta(pattern="^[0-9a-f]{96}$")]
"""A session's id and its owner's key in hexadecimal."""
Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""32 bytes in hexadecimal."""


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this node holds of a session: the session's id and owner in hexadecimal, the height of a final block, and
    ascending `[first, count]` of its chunks (`docs/protocol.md`, section 6)."""

    session: SessionName
    height: Natural
    ranges: Ranges


class Showing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this node shows of a session in an epoch: the session's id and owner, its root and number of chunks on the
    chain, and the encoded answers (`docs/protocol.md`, section 5). Bytes in hexadecimal."""

    session: SessionName
    epoch: Natural
    root: Hex32
    chunks: Natural
    answers: str


class CopiesBrought(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many chunks of what this node said at a height that it holds of a session came from the session's relay:
    the session's id and owner, and the relay's key, in hexadecimal (`docs/protocol.md`, section 5)."""

    session: SessionName
    relay: Hex32
    height: Natural
    chunks: Natural


class Declaring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this node has room for, in tickets, as of the final block of a height (`docs/protocol.md`, section 8)."""

    height: Natural
    tickets: Natural


class OwnClaims:
    """Signs what the data chain of this node says that it holds and has room for, and what it shows of it."""

    def __init__(self, key: bytes, secret: bytes, crypto: Crypto, chain_id: bytes) -> None:
        self._key = key
        self._secret = secret
        self._crypto = crypto
        self._chain_id = chain_id

    def holding(self, said: Holding) -> ReplicaHolding:
        """What the node's own data chain says, signed by the node."""
        session = hex_bytes(said.session, SESSION_BYTES, "session")
        holding = ReplicaHolding(
            node=self._key,
            owner=session[SESSION_ID_BYTES:],
            session=session[:SESSION_ID_BYTES],
            height=said.height,
            ranges=said.ranges,
            signature=bytes(64),
        )
        message = claim_message(self._chain_id, holding)
        return msgspec.structs.replace(holding, signature=self._crypto.sign(self._secret, message))

    def receipt(self, said: CopiesBrought) -> RelayReceipt:
        """What came from a session's relay, signed by the node."""
        session = hex_bytes(said.session, SESSION_BYTES, "session")
        receipt = RelayReceipt(
            node=self._key,
            relay=hex_bytes(said.relay, 32, "relay"),
            owner=session[SESSION_ID_BYTES:],
            session=session[:SESSION_ID_BYTES],
            height=said.height,
            chunks=said.chunks,
            signature=bytes(64),
        )
        message = claim_message(self._chain_id, receipt)
        return msgspec.structs.replace(receipt, signature=self._crypto.sign(self._secret, message))

    def capacity(self, said: Declaring) -> NodeCapacity:
        """What the node has room for, signed by the node."""
        capacity = NodeCapacity(self._key, said.height, said.tickets, bytes(64))
        message = claim_message(self._chain_id, capacity)
        return msgspec.structs.replace(capacity, signature=self._crypto.sign(self._secret, message))

    def proof(self, said: Showing) -> StorageProof:
        """What the node's own data chain shows, signed by the node. Raises `Refusal` where it does not hold: a false
        proof that is signed is evidence against the node, whatever went wrong on the way."""
        session = hex_bytes(said.session, SESSION_BYTES, "session")
        try:
            data = bytes.fromhex(said.answers)
        except ValueError:
            raise Problem(Code.REQUEST, "answers must be hexadecimal") from None
        proof = StorageProof(
            node=self._key,
            owner=session[SESSION_ID_BYTES:],
            session=session[:SESSION_ID_BYTES],
            epoch=said.epoch,
            answers=decode(data, Answers),
            signature=bytes(64),
        )
        if not proof.leads_to(hex_bytes(said.root, 32, "root"), said.chunks):
            raise Problem(Code.TX_PROOF_FALSE)
        message = claim_message(self._chain_id, proof)
        return msgspec.structs.replace(proof, signature=self._crypto.sign(self._secret, message))
