"""Hostile messages for the tests of the manager: anything at all, and true messages with a few things changed.

The hostile peer has the key of one validator, every message that was ever sent, and knows what is where. It may be the
leader of a view. It cannot make a quorum sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.blocks import Block, certificate_hash, late_votes_hash, transactions_root
from lucid.chain.certificates import Certificate
from lucid.chain.codec import Record
from lucid.chain.votes import Vote, vote_message
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import Received
from lucid.machines.messages import Blocks, Message, Part, Proposal, SnapshotOffer, VoteMessage
from tests.builders import CRYPTO, secret
from tests.machines.fleets import Fleet
from tests.machines.peers import key_of
from tests.strategies import values

Draw = Callable[[st.SearchStrategy[Any]], Any]

KINDS = get_args(Message)
TRAITOR = 3
NUMBERS = [0, 1, 2, 3, 7, 8, 9, 10, 64, 65, 256, 10_000, 2**32, 2**53]


def sent(fleet: Fleet, since: int, until: int) -> list[Message]:
    """Every message that a fleet's nodes heard within a while, each once, in order."""
    steps = [step for site in fleet.sites.values() for step in site.steps if since <= step.now < until]
    seen = {step.event.data: None for step in steps if isinstance(step.event, Received)}
    return [decode_message(data) for data in seen]


def parts(value: object) -> list[Record]:
    """A record and all records in it."""
    if isinstance(value, Record):
        return [value, *(part for each in structs.astuple(value) for part in parts(each))]
    return [part for each in value for part in parts(each)] if isinstance(value, tuple) else []


class Hostility:
    """Draws hostile messages from true ones."""

    def __init__(self, chain_id: bytes, messages: list[Message]) -> None:
        self.chain_id = chain_id
        self.by_kind: dict[type, list[Any]] = {}
        for message in messages:
            self.by_kind.setdefault(type(message), []).append(message)
        self.records: dict[type, list[Any]] = {}
        for part in parts(tuple(messages)):
            self.records.setdefault(type(part), []).append(part)
        self.hashes = sorted({block.header.hash for block in self.records[Block]} | {self.chain_id, bytes(32), b""})
        self.secrets = {key_of(number): secret(f"node {number}") for number in range(4)}

    def message(self, draw: Draw, request: int) -> Message:
        """One hostile message; an answer is mostly one to `request`."""
        message = self._message(draw)
        if isinstance(message, Blocks | SnapshotOffer | Part) and draw(st.integers(0, 3)):
            return structs.replace(message, request=request)
        return message

    def _message(self, draw: Draw) -> Message:
        how = draw(st.sampled_from(["replayed", "changed", "changed", "resigned", "resigned", "resigned", "any"]))
        if how == "any":
            anything: Message = draw(st.sampled_from(KINDS).flatmap(values))
            return anything
        kinds = [*sorted(self.by_kind, key=str), Proposal, Proposal, Blocks]
        message: Message = draw(st.sampled_from(self.by_kind[draw(st.sampled_from(kinds))]))
        if how == "replayed":
            return message
        for _ in range(draw(st.integers(1, 3))):
            message = self._change(draw, message)
        return self._sign(draw, message) if how == "resigned" else message

    def _change(self, draw: Draw, value: Any) -> Any:
        """A value of the same type with one thing in it changed."""
        match value:
            case Record():
                return self._change_record(draw, value)
            case tuple():
                return self._change_items(draw, value)
            case int():
                return draw(st.one_of(st.sampled_from(NUMBERS), st.integers(max(0, value - 2), value + 2)))
            case bytes():
                same = [each for each in (*self.hashes, *self.secrets) if len(each) == len(value)]
                return draw(st.sampled_from(same)) if same else self._flip(draw, value)
        return draw(st.sampled_from(self.records[Certificate])) if value is None else value

    def _change_record(self, draw: Draw, value: Record) -> Record:
        others = self.records.get(type(value), [])
        if others and not isinstance(value, KINDS) and draw(st.integers(0, 3)) == 0:
            other: Record = draw(st.sampled_from(others))
            return other
        name = draw(st.sampled_from(value.__struct_fields__))
        return structs.replace(value, **{name: self._change(draw, getattr(value, name))})

    def _change_items(self, draw: Draw, items: tuple[Any, ...]) -> tuple[Any, ...]:
        if not items:
            return items
        place = draw(st.integers(0, len(items) - 1))
        how = draw(st.sampled_from(["change", "drop", "twice", "turn"]))
        if how == "change":
            return (*items[:place], self._change(draw, items[place]), *items[place + 1 :])
        if how == "drop":
            return items[:place] + items[place + 1 :]
        return (*items, items[place]) if how == "twice" else items[::-1]

    @staticmethod
    def _flip(draw: Draw, value: bytes) -> bytes:
        if not value:
            return value
        place = draw(st.integers(0, len(value) - 1))
        return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]

    def _sign(self, draw: Draw, message: Message) -> Message:
        """The message with signatures that hold: the traitor's own, or its leader's if the leader is the traitor."""
        if isinstance(message, VoteMessage):
            return VoteMessage(self._vote(structs.replace(message.vote, signer=key_of(TRAITOR))))
        if not isinstance(message, Proposal):
            return message
        block = message.block
        header = block.header
        if draw(st.booleans()):
            header = structs.replace(
                header,
                parent_certificate=certificate_hash(block.parent_certificate),
                late_votes=late_votes_hash(block.late_votes),
                transactions_root=transactions_root(block.transactions),
            )
        leader = draw(st.sampled_from([header.proposer, message.vote.signer, *self.secrets]))
        if leader not in self.secrets:
            leader = key_of(TRAITOR)
        signature = CRYPTO.sign(self.secrets.get(header.proposer, secret("stranger")), header.hash)
        block = structs.replace(block, header=header, signature=signature)
        view = draw(st.sampled_from([message.vote.view, header.view]))
        vote = structs.replace(message.vote, signer=leader, block=header.hash, view=view)
        return Proposal(self._vote(vote), block, message.notarization)

    def _vote(self, vote: Vote) -> Vote:
        message = vote_message(self.chain_id, vote.epoch, vote.view, vote.kind, vote.block)
        return structs.replace(vote, signature=CRYPTO.sign(self.secrets[vote.signer], message))
