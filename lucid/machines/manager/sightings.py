"""What each peer was last known to have: for people who ask how far behind it is. No rule of the chain uses it."""

from __future__ import annotations

from dataclasses import dataclass

from lucid.chain.votes import FINALIZE
from lucid.machines.messages import CertificateMessage, Message, Standing, VoteMessage


@dataclass(slots=True)
class Sighting:
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
        if type(message) is VoteMessage:
            # A finalize says that its view is over, any other vote that the one before is.
            vote = message.vote
            self.saw(now, peer, vote.epoch, vote.view if vote.kind == FINALIZE else vote.view - 1)
        elif type(message) is CertificateMessage:
            self.saw(now, peer, message.certificate.epoch, message.certificate.view)
        elif type(message) is Standing:
            self.saw(now, peer, message.epoch, message.view - 1)
            held = self.latest[peer]
            held.height = max(held.height, message.final_height)

    def saw(self, now: int, peer: bytes, epoch: int, view: int) -> None:
        """A peer has shown that it knows this view's end."""
        held = self.latest.get(peer)
        if held is None:
            held = self.latest[peer] = Sighting(0, 0, 0, 0)
        held.at_ms = now
        # On the path of every message: most of them say what is known of their sender already.
        if epoch > held.epoch or (view > held.view and epoch == held.epoch):
            held.epoch, held.view = epoch, max(view, 0)
