"""Decisions of a chain's administrators, as a file that they pass on, sign and submit (protocol section 6).

JSON that people can read. What is signed is the transaction's claim message, which names the chain and the number that
the decision has among all of them, so that it can be carried out once, and on this chain alone.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, structs

from lucid.chain.administrators import MAX_ADMINISTRATORS, Administrators, Approvals, first_administrators
from lucid.chain.errors import Code, Refusal
from lucid.chain.fields import Natural
from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.manifests import Hex32, Hex64
from lucid.chain.strictjson import parse_object
from lucid.chain.transactions import (
    Administrative,
    RegisterNode,
    RetireNode,
    ScheduleRules,
    SetAdministrators,
    SetReplication,
    claim_message,
)

VERSION = 1
"""Of the file; what it says is signed as the transaction of section 6, whose form the file does not change."""
MAX_DECISION_BYTES = 1 << 20
"""Chosen. The largest decision hands on to 64 administrators, with two signatures for each: as JSON some 30 KiB. At
half or double nothing breaks; at a thirtieth that one would not fit."""
UNSIGNED = bytes(64)
"""Stands where a signature will: a file has the record's form before anybody signs. 64 bytes, as section 2 has it."""


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


class _HandOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_administrators"):
    administrators: Annotated[tuple[Hex32, ...], Meta(max_length=MAX_ADMINISTRATORS)]
    threshold: Natural
    acceptances: tuple[_Approval, ...]


_Told = _Register | _Retire | _Schedule | _Replicate | _HandOn


class _Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    administrators: tuple[Hex32, ...]
    threshold: Natural


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    lucid_decision: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    chain: Hex32
    number: Natural
    decision: _Told
    approvals: tuple[_Approval, ...]
    deciding: _Deciding | None = None


class Decision(NamedTuple):
    """What is to be carried out on a chain, with the approvals that it has so far.

    `administrators` are those that decided as it was begun; None: those of the genesis document.
    """

    chain_id: bytes
    payload: Administrative
    administrators: Administrators | None = None

    def deciding(self, genesis: Genesis) -> Administrators:
        """Whose approvals it needs."""
        return self.administrators or first_administrators(genesis)

    def print(self) -> bytes:
        """The file."""
        made = _File(
            VERSION,
            self.chain_id.hex(),
            self.payload.sequence,
            _described(self.payload),
            _told(self.payload.approvals),
            None if self.administrators is None else _Deciding(*_words(self.administrators)),
        )
        return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"

    def signed(self, secret: bytes, crypto: Crypto) -> Decision:
        """The same with the signature of the node that it registers."""
        assert isinstance(self.payload, RegisterNode), "only a registration is signed by its node"
        signature = crypto.sign(secret, claim_message(self.chain_id, self.payload))
        return self._replace(payload=structs.replace(self.payload, signature=signature))

    def approved(self, place: int, secret: bytes, crypto: Crypto) -> Decision:
        """The same with the approval of the administrator at that place."""
        approvals = self._with(self.payload.approvals, place, secret, crypto)
        return self._replace(payload=structs.replace(self.payload, approvals=approvals))

    def accepted(self, place: int, secret: bytes, crypto: Crypto) -> Decision:
        """The same with the signature of the administrator at that place among those who are to take over."""
        assert isinstance(self.payload, SetAdministrators), "in all else nobody takes over"
        acceptances = self._with(self.payload.acceptances, place, secret, crypto)
        return self._replace(payload=structs.replace(self.payload, acceptances=acceptances))

    def _with(self, signatures: Approvals, place: int, secret: bytes, crypto: Crypto) -> Approvals:
        signature = crypto.sign(secret, claim_message(self.chain_id, self.payload))
        # By place, once each: the chain wants them strictly ascending (5012).
        return tuple(sorted({**dict(signatures), place: signature}.items()))

    def check(self, genesis: Genesis, crypto: Crypto) -> None:
        """Check all that needs no ledger, but for how many approvals there are; raises `Refusal`."""
        # What is signed names the chain, so no signature of another one could hold; said plainly, it is found sooner.
        if self.chain_id != genesis.chain_id:
            raise Refusal(Code.TX_SIGNATURE, "it is a decision on another chain")
        message = claim_message(self.chain_id, self.payload)
        new = self.payload
        if isinstance(new, SetAdministrators):
            new.administrators.check_bounds()
        # However few: the file goes round to gather them, and each is checked as it is added (section 6).
        self.deciding(genesis).check_signatures(new.approvals, message, crypto)
        if isinstance(new, SetAdministrators):
            new.administrators.check_signatures(new.acceptances, message, crypto, "new administrator")
        if isinstance(new, RegisterNode) and not crypto.verify(new.key, message, new.signature):
            raise Refusal(Code.TX_SIGNATURE, "that of the node that it registers")


def parse_decision(data: bytes) -> Decision:
    """The decision that a file holds, unchecked; raises `Refusal`."""
    fields = parse_object(data, MAX_DECISION_BYTES, Code.MALFORMED)
    try:
        found = msgspec.convert(fields, _File)
    except msgspec.ValidationError as error:
        raise Refusal(Code.MALFORMED, str(error)) from None
    payload = _payload(found.decision, found.number, _signatures(found.approvals))
    by = found.deciding
    deciding = None if by is None else Administrators(_keys(by.administrators), by.threshold)
    return Decision(bytes.fromhex(found.chain), payload, deciding)


def _keys(told: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in told)


def _signatures(told: tuple[_Approval, ...]) -> Approvals:
    return tuple((each.administrator, bytes.fromhex(each.signature)) for each in told)


def _told(signatures: Approvals) -> tuple[_Approval, ...]:
    return tuple(_Approval(place, signature.hex()) for place, signature in signatures)


def _words(administrators: Administrators) -> tuple[tuple[str, ...], int]:
    return tuple(key.hex() for key in administrators.keys), administrators.threshold


def _described(payload: Administrative) -> _Told:
    match payload:
        case RegisterNode():
            return _Register(payload.key.hex(), payload.name, payload.pool, payload.signature.hex())
        case RetireNode():
            return _Retire(payload.key.hex())
        case ScheduleRules():
            return _Schedule(payload.version, payload.height)
        case SetReplication():
            return _Replicate(payload.factor)
        case SetAdministrators():
            return _HandOn(*_words(payload.administrators), _told(payload.acceptances))


def _payload(told: _Told, number: int, approvals: Approvals) -> Administrative:
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
        case _HandOn():
            accepted = _signatures(told.acceptances)
            return SetAdministrators(_keys(told.administrators), told.threshold, number, approvals, accepted)
