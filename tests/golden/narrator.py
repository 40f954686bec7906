"""Puts what nodes do and say into words: names for blocks and transactions, one line for one fact of several nodes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from re import sub
from typing import Any

from lucid.chain.blocks import Block
from lucid.chain.certificates import Certificate, signer_places
from lucid.chain.codec import decode
from lucid.chain.errors import Code
from lucid.chain.transactions import (
    Equivocation,
    NodeCapacity,
    Payload,
    RelayMandate,
    RelayReceipt,
    ReplicaHolding,
    SessionAnchor,
    StorageProof,
    Transaction,
    UptimeBeacon,
)
from lucid.chain.votes import PROPOSE, SKIP, Vote
from lucid.machines.chain import BLOCK_TABLE
from lucid.machines.effects import (
    HOLD_TIMER,
    BlockFinal,
    BlockValid,
    CaughtUp,
    Effect,
    EnteredView,
    Evicted,
    Forward,
    Observe,
    Offer,
    Proposed,
    Refused,
    Respond,
    SetTimer,
    Signed,
    TimedOut,
)
from lucid.machines.messages import (
    Blocks,
    BlocksRequest,
    CertificateMessage,
    Certificates,
    CertificatesRequest,
    Part,
    PartRequest,
    Proposal,
    SnapshotOffer,
    Standing,
    Transactions,
    VoteMessage,
)
from tests.golden.network import Envelope, Network, Node

VOTES = ("propose", "notarize", "skip", "finalize")
MESSAGES: dict[type[Any], str] = {
    Proposal: "propose",
    CertificateMessage: "certificate",
    Standing: "standing",
    Transactions: "transactions",
    BlocksRequest: "blocks-request",
    Blocks: "blocks",
    CertificatesRequest: "certificates-request",
    Certificates: "certificates",
    SnapshotOffer: "snapshot",
    PartRequest: "part-request",
    Part: "part",
}
MOST_ALIKE = 4
"""Lines that differ only in their numbers; of more, the first and the last say enough."""

KINDS = (*VOTES, *list(MESSAGES.values())[1:])


class Narrator:
    """Collects lines between two readings; equal lines of several nodes become one."""

    def __init__(self) -> None:
        self.network: Network | None = None
        self.sessions: dict[bytes, str] = {}
        self.requests: list[str] = []
        self._blocks: dict[bytes, str] = {}
        self._transactions: dict[bytes, str] = {}
        self._lines: dict[str, list[str]] = {}

    def read(self) -> list[str]:
        """The lines since the last reading."""
        lines = [f"{' '.join(sorted(names))}: {text}" for text, names in self._lines.items()]
        self._lines = {}
        return [line for _, alike in groupby(lines, _without_numbers) for line in shortened(list(alike))]

    def say(self, name: str, text: str) -> None:
        """Note that a node did something; again is once."""
        names = self._lines.setdefault(text, [])
        if name not in names:
            names.append(name)

    def watch(self, node: Node, effect: Effect) -> None:
        """Look at an effect as it is performed."""
        match effect:
            case Observe(fact):
                text = self._fact(node, fact)
                if text:
                    self.say(node.name, text)
            case Forward(Offer(transactions)):
                for each in transactions:
                    self._transactions[each.id] = self.transaction(each)
            case SetTimer(timer, at_ms) if timer == HOLD_TIMER:
                until_ms = at_ms - node.clock_ms + node.network.now_ms
                self.say(node.name, f"held its vote until {seconds(until_ms)}")
            case Respond(request, _, refusal):
                answer = "accepted" if refusal is None else describe(refusal)
                self.say(node.name, f"answered {self.requests[request]}: {answer}")

    # -- facts ---------------------------------------------------------------------------------------------------

    def _fact(self, node: Node, fact: Any) -> str:
        text = ""
        match fact:
            case BlockValid(epoch, view, _, hash_):
                self._name(hash_, epoch, view)
                text = f"found {self.block(hash_)} valid"
            case Proposed(epoch, view, _, hash_):
                text = self._proposed(node, epoch, view, hash_)
            case Signed(vote) if vote.kind != PROPOSE:
                text = f"signed {self.vote(vote)}"
            case EnteredView(epoch, view, skipped):
                text = f"entered {view_name(epoch, view)}" + (" by a skip" if skipped else "")
            case TimedOut(epoch, view):
                text = f"timed out in {view_name(epoch, view)}"
            case BlockFinal(_, _, height, hash_):
                text = f"finalized {self.block(hash_)} at height {height}"
            case Refused(code):
                text = f"refused: {describe(code)}"
            case CaughtUp(height, snapshot):
                text = f"caught up to height {height} by {'a snapshot' if snapshot else 'blocks'}"
            case Evicted(transaction, code):
                text = f"evicted the {self._transactions[transaction]}: {describe(code)}"
        return text

    def _proposed(self, node: Node, epoch: int, view: int, hash_: bytes) -> str:
        block = stored_block(node, hash_)
        assert block is not None, "a proposed block is stored"
        if (block.header.epoch, block.header.view) != (epoch, view):
            return f"proposed {self.block(hash_)} again in {view_name(epoch, view)}"
        return f"proposed {self.block(hash_)} on {self.block(block.header.parent)}, tick {block.header.tick}"

    def _name(self, hash_: bytes, epoch: int, view: int) -> None:
        if hash_ not in self._blocks:
            name = f"{epoch_prefix(epoch)}B{view}"
            while name in self._blocks.values():
                name += "'"
            self._blocks[hash_] = name

    # -- names ---------------------------------------------------------------------------------------------------

    def block(self, hash_: bytes) -> str:
        """A block's name: B and its view; a second one of the view has a prime."""
        assert self.network is not None
        return "genesis" if hash_ == self.network.genesis.chain_id else self._blocks.get(hash_, "an unknown block")

    def block_hash(self, name: str) -> bytes:
        """The hash of a named block."""
        return next(hash_ for hash_, each in self._blocks.items() if each == name)

    def node(self, key: bytes) -> str:
        """A node's name by its key."""
        assert self.network is not None
        return next(node.name for node in self.network.nodes.values() if node.key == key)

    def vote(self, vote: Vote) -> str:
        """A vote without its signer."""
        return self._statement(vote.kind, vote.epoch, vote.view, vote.block)

    def certificate(self, certificate: Certificate) -> str:
        """A certificate with its signers."""
        assert self.network is not None
        keys = sorted(node.key for node in self.network.genesis.nodes)
        signers = sorted(self.node(keys[place]) for place in signer_places(certificate.signers))
        statement = self._statement(certificate.kind, certificate.epoch, certificate.view, certificate.block)
        return f"{statement} by {' '.join(signers)}"

    def transaction(self, transaction: Transaction) -> str:
        """What a transaction is about."""
        match transaction.payload:
            case UptimeBeacon() as beacon:
                return f"heartbeat of {self.node(beacon.node)} in slot {beacon.slot}"
            case SessionAnchor() as anchor:
                return f"anchor of {self.sessions[anchor.session]}"
            case Equivocation(first, second):
                return f"evidence against {self.node(first.signer)}: {self.vote(first)} and {self.vote(second)}"
            case other:
                return self._about_copies(other)

    def _about_copies(self, payload: Payload) -> str:
        match payload:
            case ReplicaHolding() as said:
                return f"{self.node(said.node)} holds {self.sessions[said.session]}"
            case RelayMandate() as mandate:
                return f"{self.node(mandate.relay)} is the relay of {self.sessions[mandate.session]}"
            case RelayReceipt() as receipt:
                came = f"{receipt.chunks} chunks of {self.sessions[receipt.session]} from {self.node(receipt.relay)}"
                return f"{self.node(receipt.node)} has {came}"
            case NodeCapacity() as capacity:
                return f"{self.node(capacity.node)} has room for {capacity.tickets} tickets"
            case StorageProof() as proof:
                return f"{self.node(proof.node)} proves {self.sessions[proof.session]}"
            case other:
                return type(other).__name__

    def message(self, envelope: Envelope) -> str:
        """What a message says."""
        text = message_kind(envelope)
        match envelope.message:
            case Proposal(vote, block, _):
                self._name(block.header.hash, block.header.epoch, block.header.view)
                text += f" {view_name(vote.epoch, vote.view)} {self.block(vote.block)}"
            case VoteMessage(vote):
                text = self.vote(vote)
            case CertificateMessage(certificate):
                text += f" {self.certificate(certificate)}"
            case Standing(epoch, view, height, votes, entry):
                opened = [] if entry is None else [f"entered by {self.certificate(entry)}"]
                said = [f"final to {height}", *(self.vote(vote) for vote in votes), *opened]
                text += f" in {view_name(epoch, view)}, {joined(said)}"
            case Transactions(transactions):
                text = joined(self.transaction(each) for each in transactions)
            case BlocksRequest(_, height):
                text += f" from height {height}"
            case Blocks(_, blocks, certificates):
                heights = [block.header.height for block in blocks]
                span = f"{heights[0]} to {heights[-1]}" if heights else "none"
                text += f" {joined([span, *(self.certificate(each) for each in certificates)])}"
            case CertificatesRequest(epoch, first, last):
                text += f" {view_name(epoch, first)} to {view_name(epoch, last)}"
        return text

    def _statement(self, kind: int, epoch: int, view: int, block: bytes) -> str:
        words = [VOTES[kind], view_name(epoch, view)]
        return " ".join(words if kind == SKIP else [*words, self.block(block)])


def message_kind(envelope: Envelope) -> str:
    """The word by which scripts choose messages."""
    message = envelope.message
    return VOTES[message.vote.kind] if isinstance(message, VoteMessage) else MESSAGES[type(message)]


def stored_block(node: Node, hash_: bytes) -> Block | None:
    """A block by hash, as a node has it stored."""
    data = node.manager_disk.seen.get(BLOCK_TABLE, hash_)
    return None if data is None else decode(data, Block)


def describe(code: Code) -> str:
    """A refusal's code and sentence."""
    return f"{code.value} {code.sentence}"


def epoch_prefix(epoch: int) -> str:
    """What stands before the names of views and blocks of a later epoch than the first."""
    return f"e{epoch}." if epoch else ""


def view_name(epoch: int, view: int) -> str:
    """A view's name."""
    return f"{epoch_prefix(epoch)}v{view}"


def seconds(ms: int) -> str:
    """A time in seconds."""
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms / 1000:.3f}s"


def shortened(lines: list[str]) -> list[str]:
    """The first and the last of many lines."""
    return lines if len(lines) <= MOST_ALIKE else [lines[0], f"  ... {len(lines) - 2} more ...", lines[-1]]


def _without_numbers(line: str) -> str:
    return sub(r"\d+", "#", line)


def joined(words: Iterable[str]) -> str:
    """Words with a comma between, or none."""
    return ", ".join(words) or "none"
