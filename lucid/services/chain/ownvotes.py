"""The votes of this node's key that the chain holds: whether all of them are in this node's own log.

A certificate holds the votes of those who signed it. One that holds a vote of this key which the log of votes does not
know was signed by another process with the same key, or by this node before its log was put back. A certificate needs
only a quorum of votes, so the chain is asked too for votes in the views without one of this log: blocks also hold votes
that came late.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import trio

from lucid.chain.certificates import Certificate, signer_places
from lucid.chain.votes import Vote
from lucid.machines.effects import CertificateStored, ViewContext
from lucid.machines.engine import Engine
from lucid.machines.votelog import VOTES_TABLE, View, VoteLog, lost_log
from lucid.services.chain.seenvotes import SeenVote
from lucid.services.web.health import Condition
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreOther
from lucid.storage.files import write_durably
from lucid.storage.interface import STARTS_TABLE

STARTS_KEY = b"count"
ROOM_S = 1.0
"""How often it is tried whether there is room again."""
COUNT_DIGITS = 18
"""What counts more starts than that is no count."""

_log = logging.getLogger("lucid.engine")


class ForeignVote(NamedTuple):
    """A vote of this node's key that its log of votes does not know."""

    epoch: int
    view: int


@dataclass
class Unvoted:
    """Views of an epoch, `until` not among them, in which the log of votes has no vote: one of this key is foreign."""

    epoch: int
    since: int
    until: int


class LogOutdated(Exception):
    """The log of votes is older than this node's votes: the engine begins anew, with a log that is lost."""


Seek = Callable[[int, int], Awaitable[SeenVote | None]]
"""Asks the chain for this key's latest vote of the current epoch, from a view on and before another."""


class OwnVotes:
    """Looks at what the manager tells the engine, and at how often it was started."""

    def __init__(self, store: DurableStore, starts: Path, seek: Seek, late_views: int) -> None:
        """`starts` is the file beside the store that counts the engine's starts too; for `late_views` views a vote may
        still come late into a block."""
        self._store = store
        self._starts = starts
        self._seek = seek
        self._late_views = late_views
        self._unvoted: list[Unvoted] = []
        self.uncounted: str | None = None
        """Why this start could not be counted in the data folder yet."""
        self.elsewhere: ForeignVote | None = None
        """Set once the key has voted elsewhere while this process voted too: it votes no more."""

    async def count_start(self, now_ms: int) -> None:
        """Count a start; a store that counted fewer than the file beside it was put back, and so was its log of votes.

        Waits while it cannot be counted, for want of room say: nothing is signed before. Raises `StoreError`."""
        held = await self._store.read_when_there(self._store.get, STARTS_TABLE, STARTS_KEY)
        in_store = 0 if held is None else int.from_bytes(held, "big")
        in_file = await trio.to_thread.run_sync(_read_count, self._starts, abandon_on_cancel=True)
        has_log = bool(await self._store.read_when_there(lambda: any(self._store.scan(VOTES_TABLE, limit=1))))
        if in_store < in_file and has_log:
            _log.error(
                "the store has counted %d starts, the data folder %d: it was put back, and its log of votes with it. "
                "Nothing is signed until an epoch that this node sees begin",
                in_store,
                in_file,
            )
            await self._store.write([lost_log(0, now_ms)])
        count = max(in_store, in_file) + 1
        await self._store.write([(STARTS_TABLE, STARTS_KEY, count.to_bytes(8, "big"))])
        await self._count_beside(count)

    async def _count_beside(self, count: int) -> None:
        """The same count in a file that is not the store's. A full disk has no room for it, and the store had."""
        while True:
            try:
                data = b"%d\n" % count
                await trio.to_thread.run_sync(write_durably, self._starts, data, abandon_on_cancel=True)
                break
            except OSError as error:
                if self.uncounted is None:
                    _log.warning("this start cannot be counted beside the store yet: %s", error.strerror)
                self.uncounted = error.strerror or type(error).__name__
                await trio.sleep(ROOM_S)
        self.uncounted = None

    async def check(self, engine: Engine, event: object, signed_here: bool, now_ms: int) -> None:
        """Look at an event for the engine. Raises `LogOutdated` when the engine must begin anew, or vote no more."""
        if isinstance(event, CertificateStored):
            context, certificates = event.context, [event.certificate, event.context.entry]
        elif isinstance(event, ViewContext):
            context, certificates = event, [event.entry]
        else:
            return
        for certificate in certificates:
            if certificate is not None and self._foreign(engine, certificate, context):
                await self._stop(certificate.epoch, certificate.view, signed_here, now_ms)
        if engine.key not in context.validators:
            return
        self._note_unvoted(engine.log, (context.epoch, context.view))
        if context.ready:
            await self._seek_foreign(context, signed_here, now_ms)

    def _note_unvoted(self, log: VoteLog, at: View) -> None:
        """Note the views between the log's last vote and the view that the chain is in."""
        if log.lost_ms or log.missing or log.last >= at:
            return
        since = log.last[1] + 1 if log.last[0] == at[0] else 1
        last = self._unvoted[-1] if self._unvoted else None
        if last is not None and last.epoch == at[0] and since < last.until:
            last.until = max(last.until, at[1])
        elif since < at[1]:
            self._unvoted.append(Unvoted(at[0], since, at[1]))

    async def _seek_foreign(self, context: ViewContext, signed_here: bool, now_ms: int) -> None:
        """Ask the chain for votes of this key where the log has none; again while one may still come late."""
        self._unvoted = [each for each in self._unvoted if each.epoch == context.epoch]
        for each in tuple(self._unvoted):
            seen = await self._seek(each.since, each.until)
            # Events wait in a queue before the engine handles them: it may have voted there meanwhile.
            if seen is not None and any(seen.view in range(one.since, one.until) for one in self._unvoted):
                await self._stop(each.epoch, seen.view, signed_here, now_ms)
        for each in self._unvoted:
            each.since = max(each.since, context.view - self._late_views)
        self._unvoted = [each for each in self._unvoted if each.since < each.until]

    def signed(self, vote: Vote) -> None:
        """Note a vote of this process, before it leaves the node."""
        for each in tuple(self._unvoted):
            if vote.epoch == each.epoch and vote.view in range(each.since, each.until):
                self._unvoted.append(Unvoted(each.epoch, vote.view + 1, each.until))
                each.until = vote.view
        self._unvoted = sorted((each for each in self._unvoted if each.since < each.until), key=lambda one: one.since)

    async def _stop(self, epoch: int, view: int, signed_here: bool, now_ms: int) -> None:
        """Close the epoch to this key, for a vote that its log does not know. Raises `LogOutdated`."""
        if signed_here:
            self.elsewhere = ForeignVote(epoch, view)
            _log.error(
                "this node's key has voted elsewhere, in view %d of epoch %d: this node votes no more", view, epoch
            )
        else:
            _log.error(
                "the log of votes does not know a vote of this key in view %d of epoch %d: it is an older one. "
                "Nothing is signed until an epoch that this node sees begin",
                view,
                epoch,
            )
        await self._store.write([lost_log(epoch, now_ms)])
        self._unvoted.clear()
        raise LogOutdated

    @staticmethod
    def _foreign(engine: Engine, certificate: Certificate, context: ViewContext) -> bool:
        if certificate.epoch != context.epoch or engine.key not in context.validators:
            return False
        if context.validators.index(engine.key) not in signer_places(certificate.signers):
            return False
        return not engine.log.knows(certificate.epoch, certificate.view, certificate.kind, certificate.block)

    def condition(self, engine: Engine | None) -> Condition | None:
        """Why this node signs nothing, if it does not although it is a validator."""
        if self.elsewhere is not None:
            return Condition(
                "key in two places",
                f"this node's key has voted elsewhere (epoch {self.elsewhere.epoch}, view {self.elsewhere.view}): "
                "this node votes no more",
                "stop the other node that has this key permanently, and start this engine again",
            )
        if engine is None or not engine.log.lost_ms or engine.key not in engine.admission.validators:
            return None
        return Condition(
            "not signing",
            f"the log of votes was lost or is an older one: nothing is signed until epoch {engine.log.view[0]}",
            "keep the node running: it signs again from the first epoch that it sees begin, which needs blocks",
        )


def _read_count(path: Path) -> int:
    """What a file counts; 0 where there is none. Raises `StoreOther` for one that holds no number or cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(COUNT_DIGITS + 2).strip()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StoreOther(f"{path} cannot be read: {error.strerror}") from None
    if not text.isdigit() or len(text) > COUNT_DIGITS:
        raise StoreOther(
            f"{path} does not hold the number of this engine's starts: make sure that the data folder is not an older "
            f"copy, and remove the file"
        )
    return int(text)
