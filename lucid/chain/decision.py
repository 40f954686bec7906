"""Decisions of a chain's administrators, as a file that they pass on, sign and submit (protocol section 6).

JSON that people can read. What is signed is the transaction's claim message, which names the chain and the number that
the decision has among all of them, so that it can be carried out once, and on this chain alone.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, structs

from lucid.chain.errors import Code, Refusal
from lucid.chain.genesis import Genesis, Natural
from lucid.chain.keys import Crypto
from lucid.chain.manifests import Hex32, Hex64
from lucid.chain.strict import parse_object
from lucid.chain.transactions import (
    Administrative,
    RegisterNode,
    RetireNode,
    ScheduleRules,
    SetReplication,
    claim_message,
)

VERSION = 1
MAX_DECISION_BYTES = 1 << 20
UNSIGNED = bytes(64)


class _Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    administrator: Natural
    signature: Hex64


class _Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="register_node"):
    node: Hex32
    name: str
    pool: str
    signature: Hex64


class _Retire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="retire_node"):
    node: Hex32


class _Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="schedule_rules"):
    version: Natural
    height: Natural


class _Replicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_replication"):
    factor: Natural


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lucid_decision: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    chain: Hex32
    number: Natural
    decision: _Register | _Retire | _Schedule | _Replicate
    approvals: tuple[_Approval, ...]


class Decision(NamedTuple):
    """What is to be carried out on a chain, with the approvals that it has so far."""

    chain_id: bytes
    payload: Administrative

    def print(self) -> bytes:
        """The file."""
        approvals = tuple(_Approval(place, signature.hex()) for place, signature in self.payload.approvals)
        made = _File(VERSION, self.chain_id.hex(), self.payload.sequence, _described(self.payload), approvals)
        return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"

    def signed(self, secret: bytes, crypto: Crypto) -> Decision:
        """The same with the signature of the node that it registers."""
        assert isinstance(self.payload, RegisterNode), "only a registration is signed by its node"
        signature = crypto.sign(secret, claim_message(self.chain_id, self.payload))
        return Decision(self.chain_id, structs.replace(self.payload, signature=signature))

    def approved(self, place: int, secret: bytes, crypto: Crypto) -> Decision:
        """The same with the approval of the administrator at that place of the genesis document."""
        signature = crypto.sign(secret, claim_message(self.chain_id, self.payload))
        approvals = {**dict(self.payload.approvals), place: signature}
        return Decision(self.chain_id, structs.replace(self.payload, approvals=tuple(sorted(approvals.items()))))

    def check(self, genesis: Genesis, crypto: Crypto) -> None:
        """Check all that needs no ledger, but for how many approvals there are; raises `Refusal`."""
        if self.chain_id != genesis.chain_id:
            raise Refusal(Code.TX_SIGNATURE, "it is a decision on another chain")
        message = claim_message(self.chain_id, self.payload)
        places = [place for place, _ in self.payload.approvals]
        if places != sorted(set(places)):
            raise Refusal(Code.TX_ADMIN_THRESHOLD, "approvals must be ascending, one for each administrator")
        for place, signature in self.payload.approvals:
            administrators = genesis.administrators
            if place >= len(administrators) or not crypto.verify(administrators[place], message, signature):
                raise Refusal(Code.TX_SIGNATURE, f"administrator {place}")
        new = self.payload
        if isinstance(new, RegisterNode) and not crypto.verify(new.key, message, new.signature):
            raise Refusal(Code.TX_SIGNATURE, "that of the node that it registers")


def parse_decision(data: bytes) -> Decision:
    """The decision that a file holds, unchecked; raises `Refusal`."""
    fields = parse_object(data, MAX_DECISION_BYTES, Code.MALFORMED)
    try:
        found = msgspec.convert(fields, _File)
    except msgspec.ValidationError as error:
        raise Refusal(Code.MALFORMED, str(error)) from None
    approvals = tuple((each.administrator, bytes.fromhex(each.signature)) for each in found.approvals)
    return Decision(bytes.fromhex(found.chain), _payload(found.decision, found.number, approvals))


def _described(payload: Administrative) -> _Register | _Retire | _Schedule | _Replicate:
    match payload:
        case RegisterNode():
            return _Register(payload.key.hex(), payload.name, payload.pool, payload.signature.hex())
        case RetireNode():
            return _Retire(payload.key.hex())
        case ScheduleRules():
            return _Schedule(payload.version, payload.height)
        case SetReplication():
            return _Replicate(payload.factor)


def _payload(
    told: _Register | _Retire | _Schedule | _Replicate, number: int, approvals: tuple[tuple[int, bytes], ...]
) -> Administrative:
    match told:
        case _Register():
            key, signature = bytes.fromhex(told.node), bytes.fromhex(told.signature)
            return RegisterNode(key, told.name, told.pool, number, approvals, signature)
        case _Retire():
            return RetireNode(bytes.fromhex(told.node), number, approvals)
        case _Schedule():
            return ScheduleRules(told.version, told.height, number, approvals)
        case _Replicate():
            return SetReplication(told.factor, number, approvals)
