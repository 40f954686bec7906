"""What each peer was last known to have: for people who ask how far behind it is. No rule of the chain uses it."""

from __future__ import annotations

from typing import NamedTuple

from lucid.chain.votes import FINALIZE
from lucid.machines.messages import CertificateMessage, Message, Standing, VoteMessage


class Sighting(NamedTuple):
    """The latest view whose end a peer has shown to know, the highest final height that it named (0: none yet), and
    when it last showed either (ms since the Unix epoch)."""

    epoch: int
    view: int
    height: int
    at_ms: int


class Sightings:
    """The latest sighting of each peer, taken from messages that hold no proof of it: a peer may lie here."""

    def __init__(self) -> None:
        self.latest: dict[bytes, Sighting] = {}

    def note(self, now: int, peer: bytes, message: Message) -> None:
        """Take from a message how far its sender is."""
        height = 0
        match message:
            case VoteMessage(vote):
                # A finalize says that its view is over, any other vote that the one before is.
                place = vote.epoch, vote.view if vote.kind == FINALIZE else vote.view - 1
            case CertificateMessage(certificate):
                place = certificate.epoch, certificate.view
            case Standing():
                place, height = (message.epoch, message.view - 1), message.final_height
            case _:
                return
        held = self.latest.get(peer, Sighting(0, 0, 0, 0))
        epoch, view = max(place, (held.epoch, held.view))
        self.latest[peer] = Sighting(epoch, max(view, 0), max(height, held.height), now)
