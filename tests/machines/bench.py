"""One engine on a bench: a store, facts made up for it, votes of the others, and what it did with them.

Validators are numbered in the order of their keys; the engine is number 0 unless said otherwise. Times are
milliseconds since genesis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, assert_never

from lucid.chain.certificates import Certificate, assemble
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.chain.parameters import Parameters
from lucid.chain.transactions import SessionAnchor, Transaction, UptimeBeacon, claim_message, endorsement_message
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import NOTARIZE, SKIP, Vote, vote_message
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    BeginFetch,
    Broadcast,
    BroadcastVote,
    CancelTimer,
    CertificateStored,
    Effects,
    EndFetch,
    EngineEvent,
    Forward,
    Observe,
    Offer,
    Provided,
    Respond,
    Send,
    SetTimer,
    Signed,
    Store,
    Submit,
    TakePart,
    TimerFired,
    Verdict,
    ViewContext,
)
from lucid.machines.engine import Engine
from lucid.machines.votelog import new_log
from tests.builders import CRYPTO, digest, secret

GENESIS_MS = 1_700_000_000_000
BLOCK_A, BLOCK_B, BLOCK_C = digest("a"), digest("b"), digest("c")

Told = TypeVar("Told")
Fact = TypeVar("Fact")


class Bench:
    """An engine and its surroundings; by default, ticks of 10 s, a timeout of 5 s and a drift of 2 s."""

    def __init__(self, nodes: int = 4, me: int = 0, log: bool = True, **parameters: Any) -> None:
        secrets = [secret(f"node {number}") for number in range(nodes)]
        self.secrets = dict(sorted((CRYPTO.public_key(each), each) for each in secrets))
        self.keys = list(self.secrets)
        members = tuple(GenesisNode(key, "node") for key in self.keys)
        self.genesis = Genesis(GENESIS_MS, members, parameters=Parameters(**parameters)).check()
        self.chain_id = self.genesis.chain_id
        self.validators = ValidatorSet(tuple(self.keys))
        self.store = MemoryStore()
        if log:
            self.store.write([new_log()])
        self.key = self.keys[me]
        self.timers: dict[str, int] = {}
        self.restart()

    def restart(self, me: bytes | None = None) -> None:
        """Start the engine from what the store holds."""
        self.engine = Engine(me or self.secrets[self.key], self.genesis, CRYPTO, self.store)
        self.timers = {}

    def handle(self, event: EngineEvent, at: int = 0) -> Effects:
        """Hand the engine an event; its writes are durable and its timers noted when this returns."""
        effects = self.engine.handle(GENESIS_MS + at, event)
        for effect in effects:
            match effect:
                case Store(writes):
                    self.store.write(writes)
                case SetTimer(timer, at_ms):
                    self.timers[timer] = at_ms - GENESIS_MS
                case CancelTimer(timer):
                    self.timers.pop(timer, None)
                case Forward() | Respond() | Observe():
                    pass  # for the test to look at
                case Send() | Broadcast() | Submit() | BeginFetch() | TakePart() | EndFetch() | Provided():
                    raise AssertionError("an engine speaks to its manager and its clients alone")
                case _:
                    assert_never(effect)
        return effects

    def fire(self, timer: str) -> Effects:
        """Let a timer that is set fire when it is due."""
        return self.handle(TimerFired(timer), self.timers.pop(timer))

    # -- facts ---------------------------------------------------------------------------------------------------

    def context(self, view: int = 1, epoch: int = 0, **changes: Any) -> ViewContext:
        """A view on genesis, entered by nothing, led by the last validator; `validators` are all."""
        facts: dict[str, Any] = {
            "epoch": epoch,
            "view": view,
            "entry": None,
            "parent": self.chain_id,
            "parent_view": 0,
            "parent_height": 0,
            "parent_tick": 0,
            "beacon": bytes(32),
            "leader": self.keys[-1],
            "validators": tuple(self.keys),
            "closing": False,
            "ready": True,
        }
        facts |= changes
        entry = facts["entry"]
        facts.setdefault("skipped", entry is not None and entry.kind == SKIP)
        return ViewContext(**facts)

    def on(self, block: bytes, view: int, **changes: Any) -> ViewContext:
        """The context of the view after `view`, which notarized `block` at the tick of the same number."""
        entry = self.certificate(NOTARIZE, view, block)
        facts: dict[str, Any] = {
            "entry": entry,
            "parent": block,
            "parent_view": view,
            "parent_height": view,
            "parent_tick": view,
        }
        return self.context(view + 1, **facts | changes)

    def notarized(self, block: bytes, view: int, held: bool = True, **changes: Any) -> CertificateStored:
        """A notarization is durable, and opens the next view."""
        return CertificateStored(self.certificate(NOTARIZE, view, block), held, self.on(block, view, **changes))

    def skipped(self, view: int, **changes: Any) -> CertificateStored:
        """A skip is durable, and opens the next view."""
        certificate = self.certificate(SKIP, view, b"")
        return CertificateStored(certificate, False, self.context(view + 1, entry=certificate, **changes))

    def verdict(self, block: bytes = BLOCK_A, view: int = 1, **changes: Any) -> Verdict:
        """A proposal on genesis, for tick 1, is valid."""
        facts: dict[str, Any] = {"epoch": 0, "view": view, "block": block, "base_view": 0, "tick": 1, "fresh": True}
        return Verdict(**facts | changes)

    # -- what others sign ----------------------------------------------------------------------------------------

    def vote(self, signer: int, kind: int, view: int = 1, block: bytes = b"", epoch: int = 0) -> Vote:
        """A validator's vote."""
        key = self.keys[signer]
        message = vote_message(self.chain_id, epoch, view, kind, block)
        return Vote(epoch, view, kind, block, key, CRYPTO.sign(self.secrets[key], message))

    def certificate(
        self, kind: int, view: int, block: bytes, signers: Iterable[int] | None = None, epoch: int = 0
    ) -> Certificate:
        """A certificate, by default of the last q validators."""
        size = len(self.keys)
        places = range(size - self.validators.quorum, size) if signers is None else signers
        signatures = {place: self.vote(place, kind, view, block, epoch).signature for place in places}
        return assemble(epoch, view, kind, block, signatures, size)

    def anchor(self, name: str = "session", **changes: Any) -> SessionAnchor:
        """A session anchor, signed by its owner."""
        identity = bytearray(digest(name)[:16])
        identity[6], identity[8] = identity[6] & 0x0F | 0x40, identity[8] & 0x3F | 0x80
        owner = secret("owner")
        fields: dict[str, Any] = {
            "session": bytes(identity),
            "owner": CRYPTO.public_key(owner),
            "started_ms": 1,
            "ended_ms": 2,
            "manifest": digest("manifest"),
            "root": digest("root"),
            "chunks": 1,
            "total_bytes": 1,
            "policy": b"",
        }
        blank = SessionAnchor(**fields | changes, signature=bytes(64))
        signature = CRYPTO.sign(owner, claim_message(self.chain_id, blank))
        return SessionAnchor(**fields | changes, signature=signature)

    def endorse(self, payload: Any, endorser: int = 1, valid_until: int = 100) -> Transaction:
        """A transaction that another validator endorsed."""
        key = self.keys[endorser]
        blank = Transaction(payload, key, valid_until, bytes(64))
        message = endorsement_message(self.chain_id, blank.id, valid_until)
        return Transaction(payload, key, valid_until, CRYPTO.sign(self.secrets[key], message))


def told(effects: Effects, kind: type[Told]) -> list[Told]:
    """What the engine told the manager of a kind."""
    return [effect.event for effect in effects if isinstance(effect, Forward) and isinstance(effect.event, kind)]


def facts(effects: Effects, kind: type[Fact]) -> list[Fact]:
    """What the engine observed of a kind."""
    return [effect.fact for effect in effects if isinstance(effect, Observe) and isinstance(effect.fact, kind)]


def votes(effects: Effects) -> list[tuple[int, int, bytes]]:
    """The (kind, view, block) that left, each signed, durable and observed before."""
    assert [vote for vote in signed(effects) if vote.kind] == [cast.vote for cast in told(effects, BroadcastVote)]
    return [(cast.vote.kind, cast.vote.view, cast.vote.block) for cast in told(effects, BroadcastVote)]


def signed(effects: Effects) -> list[Vote]:
    """The votes that the engine signed."""
    return [fact.vote for fact in facts(effects, Signed)]


def offered(effects: Effects, kind: type[Told]) -> list[Told]:
    """The payloads of a kind that the engine offered to the others."""
    payloads = [transaction.payload for offer in told(effects, Offer) for transaction in offer.transactions]
    return [payload for payload in payloads if isinstance(payload, kind)]


def heartbeats(effects: Effects) -> list[UptimeBeacon]:
    """The heartbeats that the engine offered."""
    return offered(effects, UptimeBeacon)
