"""A story: lanes of nodes, marks on them, messages from lane to lane, and faults, in columns that stay small."""

from __future__ import annotations

from array import array
from typing import Any

from msgspec import Struct

from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP

MARKS = (
    "enters the view by a block", "enters the view by a skip", "times out", "signs propose", "signs notarize",
    "signs skip", "signs finalize", "valid block", "final block", "puts a block forward", "refuses", "catches up",
    "drops a transaction", "starts", "goes down",
)  # fmt: skip
"""What a mark can be, by number."""

VOTES = {PROPOSE: 3, NOTARIZE: 4, SKIP: 5, FINALIZE: 6}
FACTS = {"TimedOut": 2, "BlockValid": 7, "BlockFinal": 8, "Proposed": 9, "Refused": 10, "CaughtUp": 11, "Evicted": 12}
STARTS, GOES_DOWN = 13, 14

KINDS = {
    1: "proposal", 2: "vote", 3: "certificate", 4: "standing", 5: "transactions", 6: "request for blocks", 7: "blocks",
    8: "request for certificates", 9: "certificates", 10: "snapshot offer", 11: "request for a part", 12: "part",
}  # fmt: skip
"""Messages by the tag of protocol section 8."""

HASH_DIGITS = 16
NOWHERE = -1


class FaultSpan(Struct, frozen=True, kw_only=True):
    """A fault that was on, in microseconds; `until` is None if it was at the end."""

    at: float
    until: float | None
    text: str
    color: str


class BrokenInvariant(Struct, frozen=True, kw_only=True):
    """What did not hold, as a sentence, and when."""

    at: float
    text: str


class Story:
    """What happened. Times are microseconds from its beginning; what has no end in it lasts to the end."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.lanes: list[str] = []
        self.end_us = 0
        self.mark_at = array("d")
        self.mark_lane = array("i")
        self.mark_kind = array("i")
        self.mark_epoch = array("i")
        self.mark_view = array("i")
        self.mark_number = array("i")
        """A height, or the code of a refusal; -1 for none."""
        self.mark_hash = array("i")
        self.hashes: list[str] = []
        self.sent_at = array("d")
        self.sent_lane = array("i")
        self.sent_kind = array("i")
        self.sent_bytes = array("i")
        self.got_at = array("d")
        self.got_lane = array("i")
        self.got_message = array("i")
        """The place of the message among those sent."""
        self.faults: list[FaultSpan] = []
        self.broken: list[BrokenInvariant] = []
        self._hash_places: dict[str, int] = {}

    @property
    def events(self) -> int:
        """Marks, sendings and deliveries."""
        return len(self.mark_at) + len(self.sent_at) + len(self.got_at)

    def mark(
        self, at_us: float, lane: int, kind: int, epoch: int = 0, view: int = 0, number: int = -1, *, hash_: str = ""
    ) -> None:
        """Something happened at a node."""
        self.mark_at.append(at_us)
        self.mark_lane.append(lane)
        self.mark_kind.append(kind)
        self.mark_epoch.append(min(epoch, 2**31 - 1))
        self.mark_view.append(min(view, 2**31 - 1))
        self.mark_number.append(number)
        self.mark_hash.append(self._hash(hash_))
        self.end_us = max(self.end_us, int(at_us))

    def fact(self, at_us: float, lane: int, name: str, fields: dict[str, Any]) -> None:
        """A machine observed something; fields as in a trace."""
        kind = FACTS.get(name)
        if name == "EnteredView":
            kind = 1 if fields["skipped"] else 0
        elif name == "Signed":
            kind = VOTES[fields["kind"]]
        if kind is not None:
            number = fields.get("height", fields.get("code", -1))
            hash_ = fields.get("hash") or fields.get("block") or ""
            self.mark(at_us, lane, kind, fields.get("epoch", 0), fields.get("view", 0), int(number), hash_=hash_)

    def sent(self, at_us: float, lane: int, kind: int, size: int) -> int:
        """A message left a node; returns its place."""
        self.sent_at.append(at_us)
        self.sent_lane.append(lane)
        self.sent_kind.append(kind)
        self.sent_bytes.append(size)
        self.end_us = max(self.end_us, int(at_us))
        return len(self.sent_at) - 1

    def got(self, at_us: float, lane: int, message: int) -> None:
        """A message reached a node."""
        self.got_at.append(at_us)
        self.got_lane.append(lane)
        self.got_message.append(message)
        self.end_us = max(self.end_us, int(at_us))

    def fault(self, at_us: float, until_us: float | None, text: str, color: str) -> None:
        """A fault that was on; None if it was at the end."""
        self.faults.append(FaultSpan(at=at_us, until=until_us, text=text, color=color))
        self.end_us = max(self.end_us, int(until_us or at_us))

    def _hash(self, hash_: str) -> int:
        if not hash_:
            return NOWHERE
        head = hash_[:HASH_DIGITS]
        place = self._hash_places.get(head)
        if place is None:
            place = self._hash_places[head] = len(self.hashes)
            self.hashes.append(head)
        return place
