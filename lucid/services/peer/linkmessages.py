"""What the services of an engine and its manager say to each other beside the events of their machines."""

from __future__ import annotations

from typing import Any, NamedTuple

from lucid.chain.codec import Record
from lucid.chain.fields import Key
from lucid.machines.effects import ToEngine, ToManager
from lucid.services.peer.transport import TransportCertificate


class Heartbeat(Record, tag=70):
    """The sender is alive."""


class CertificateWanted(Record, tag=71):
    """The manager asks the engine to certify its transport key."""

    transport: Key


class CertificateGiven(Record, tag=72):
    """The engine's answer."""

    certificate: TransportCertificate


class Farewell(Record, tag=73):
    """The manager's last word to an engine that it cannot talk with: why."""

    why: str


class Direction(NamedTuple):
    """One way of the link: who speaks, and all that it may say. What goes the other way is no more than noise here."""

    speaker: str
    says: Any


FROM_ENGINE = Direction("engine", ToManager | Heartbeat | CertificateGiven)
FROM_MANAGER = Direction("manager", ToEngine | Heartbeat | CertificateWanted | Farewell)
