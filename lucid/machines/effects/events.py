"""What a driver tells the engine, the manager and session anchoring."""

from __future__ import annotations

from lucid.chain.codec import Record
from lucid.chain.errors import Code
from lucid.chain.transactions import Payload, SessionAnchor
from lucid.machines.effects.enginelink import ToEngine, ToManager


class Started(Record, tag=20):
    """The machine begins, after whatever its store holds."""


class Received(Record, tag=21):
    """Bytes from a peer, named by its node id."""

    peer: bytes
    data: bytes


class TimerFired(Record, tag=22):
    """A timer that was set came due; one that was set again just then may still come, and is set once more."""

    timer: str


class Submitted(Record, tag=23):
    """A client hands a payload to this node's engine; answered with `Respond` under `request`."""

    request: int
    payload: Payload


class AnchorAsked(Record, tag=24):
    """A client hands in a session whose manifest (canonical, with signature) was checked and gave this anchor;
    answered with `Respond` under `request`."""

    request: int
    manifest: bytes
    anchor: SessionAnchor


class AnchorAnswered(Record, tag=25):
    """The engine's answer to `Submit`: None when it took the anchor of this session (id and owner); `UNAVAILABLE` when
    it could not be asked. The driver gives each `Submit` one answer, this or `SessionSettled`."""

    session: bytes
    refusal: Code | None


class BlockSettled(Record, tag=26):
    """A block is final: the one after the last that the machine was told of, or after a gap. Ids of what it holds."""

    height: int
    transactions: tuple[bytes, ...]


class SessionSettled(Record, tag=27):
    """The chain holds this session (id and owner) at a height, by the transaction of this id."""

    session: bytes
    transaction: bytes
    height: int


class ManifestCame(Record, tag=29):
    """Another node gave the manifest (canonical, with signature) of a session that the chain holds at a height, by the
    transaction of this very anchor."""

    manifest: bytes
    anchor: SessionAnchor
    height: int


class PeerJoined(Record, tag=28):
    """A connection to a peer was made, or made anew: what either side sent over the last one may be lost."""

    peer: bytes


class EngineJoined(Record, tag=46):
    """The node's engine has started anew, while its manager went on."""


AnchoringEvent = Started | TimerFired | AnchorAsked | AnchorAnswered | BlockSettled | SessionSettled | ManifestCame
ManagerEvent = Started | Received | TimerFired | PeerJoined | EngineJoined | ToManager
EngineEvent = Started | TimerFired | Submitted | ToEngine
