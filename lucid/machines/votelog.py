"""The log of a validator's own votes: what it may still sign, across crashes (protocol section 4).

It lives in tables of its own, which are never backed up, copied or rolled back with the rest of a store.
"""

from __future__ import annotations

from lucid.chain.certificates import Certificate
from lucid.chain.codec import decode, encode
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, SKIP, Vote
from lucid.ledger.rowstore import Reader, Write

VOTES_TABLE = "vote"
LATEST_KEY = b"latest"
KEPT_KEY = b"notarized"

View = tuple[int, int]
"""(epoch, view), in the order of time."""


class VoteLog:
    """The votes of this validator in the view it is in and the one before; older views are closed to it forever.

    `lost_ms` is when the log was found missing (0 if it never was): until an epoch opens after that moment, nobody
    knows what this key has signed, and it signs nothing.
    """

    def __init__(self, reader: Reader) -> None:
        self.view: View = (0, 0)
        self._votes: dict[View, dict[int, Vote]] = {}
        stored = reader.get(VOTES_TABLE, LATEST_KEY)
        self.missing = stored is None
        self.lost_ms = 0
        if stored is not None:
            self.view, votes, self.lost_ms = decode(stored, tuple[View, tuple[Vote, ...], int])
            for vote in votes:
                self._votes.setdefault((vote.epoch, vote.view), {})[vote.kind] = vote
        kept = reader.get(VOTES_TABLE, KEPT_KEY)
        self._kept = None if kept is None else decode(kept, Certificate)
        self._unwritten: Certificate | None = None
        self._open = self.view
        """The view in which it notarizes and skips: the one that it is in, or the one before after `come_back`."""
        self.last: View = max(self._votes, default=self.view)
        """The view of the last vote; where the log holds none, the view that it was written in."""

    def arrive(self, view: View, entry: Certificate | None) -> None:
        """Enter a view by a certificate, which there is none of for the first of all, or come back to one."""
        if view > self.view:
            # What is signed here closes the epoch before to this key, so the log has to have the end of that one.
            if entry is not None and entry.kind == FINALIZE:
                self.keep(entry)
            self.enter(view)
        else:
            self.come_back(view)

    def enter(self, view: View) -> None:
        """Go on to a later view."""
        assert view > self.view, "a validator never returns to a view"
        self.view = self._open = view
        # Of the view before it may still sign finalize (rule 5), so what it signed there has to be known.
        for old in [each for each in self._votes if each < (view[0], view[1] - 1)]:
            del self._votes[old]

    def come_back(self, view: View) -> None:
        """Be in a view that is not a later one, after a restart. In the one before there is still something to sign:
        all but this log was lost then, with the certificate that ended the view, and others may lack it too."""
        self._open = view if view == (self.view[0], self.view[1] - 1) else self.view

    def open_epoch(self, epoch: int, opened_ms: int, now: int, witnessed: bool) -> bool:
        """Decide whether this key may sign in an epoch that opened at `opened_ms`; returns whether the log changed.

        An intact log always may. After a loss the epoch must have opened later than that by the clock, and the epoch
        before it must have been `witnessed` as it went on, because the clock may be wrong.
        """
        if self.missing:
            self.missing = False
            # Never 0, which says that it was not lost.
            self.lost_ms = max(now, 1)
        if not self.lost_ms or self.view[0] > epoch:
            return False
        # What it signed before the loss was of an earlier epoch then (section 4, vote log).
        if witnessed and opened_ms > self.lost_ms:
            self.lost_ms = 0
        else:
            # This epoch is closed to the key as a whole: in which of its views it signed before the loss, nobody knows.
            self.view = self._open = (epoch + 1, 0)
        return True

    def votes(self, view: View) -> dict[int, Vote]:
        """The votes signed in a view, by kind."""
        return self._votes.get(view, {})

    def outstanding(self, view: View) -> tuple[Vote, ...]:
        """The votes that others may lack: those of a view but for its proposal, and the finalize of the one before."""
        # A proposal is of no use without its block, which its leader spreads again by itself (section 4, Proposals).
        votes = [vote for kind, vote in sorted(self.votes(view).items()) if kind != PROPOSE]
        left = self.votes((view[0], view[1] - 1)).get(FINALIZE)
        if left is not None:
            votes.append(left)
        return tuple(votes)

    def all_votes(self) -> list[Vote]:
        """Every vote that the log holds, oldest view first."""
        return [vote for view in sorted(self._votes) for _, vote in sorted(self._votes[view].items())]

    def knows(self, epoch: int, view: int, kind: int, block: bytes) -> bool:
        """Whether a vote that carries this key's signature can be one of this log's.

        A log that was lost cannot tell, nor can an intact one of views that it has closed; but it never voted in a view
        above its last vote.
        """
        if self.missing or self.lost_ms:
            return True
        held = self._votes.get((epoch, view), {}).get(kind)
        if held is not None:
            return held.block == block
        return (epoch, view) <= self.last and (epoch, view) < (self.view[0], self.view[1] - 1)

    def may_sign(self, epoch: int, view: int, kind: int) -> bool:
        """Whether an honest validator may still sign this kind of vote in this view."""
        signed = self._votes.get((epoch, view), {})
        if kind in signed:
            return False  # two quorums share an honest signer, so one view notarizes one block at most
        if kind == FINALIZE:
            # A finalize says that this key did not skip the view, and never will: what is final is never passed over.
            # Signed when leaving the view by a notarization, so the view is the current one or the one before.
            return SKIP not in signed and self.view[0] == epoch and view >= self.view[1] - 1
        if kind == NOTARIZE:
            # After its timer fired a node is for the skip alone (rule 4).
            return SKIP not in signed and (epoch, view) == self._open
        if kind == SKIP:
            return FINALIZE not in signed and (epoch, view) == self._open
        assert kind == PROPOSE  # rule 2: two of them in one view would be evidence
        return (epoch, view) == self.view

    def keep(self, certificate: Certificate) -> None:
        """Keep a certificate that this key went on by, in place of the one before; `writes` makes it durable.

        It is the notarization that the last finalize was signed on, or the finality that opened the epoch.
        """
        self._kept = self._unwritten = certificate

    def owed(self, view: View) -> Certificate | None:
        """The certificate that ends a view, or an epoch, that this key came back to: it was lost with the store.

        Others may lack it too, and cannot go on without: this key signs no skip of a view where it signed finalize,
        and nothing in an epoch before that of its log.
        """
        kept = self._kept
        if kept is None:
            return None
        if kept.kind == FINALIZE:
            return kept if kept.epoch == view[0] else None
        return kept if (kept.epoch, kept.view) == view and FINALIZE in self.votes(view) else None

    def record(self, vote: Vote) -> None:
        """Add a vote; it may leave this node only after `write` is durable."""
        assert self.may_sign(vote.epoch, vote.view, vote.kind), "never twice"
        self.last = max(self.last, (vote.epoch, vote.view))
        self._votes.setdefault((vote.epoch, vote.view), {})[vote.kind] = vote

    def writes(self) -> tuple[Write, ...]:
        """The writes that make the log durable as it stands, to be made as one."""
        log = (VOTES_TABLE, LATEST_KEY, encode((self.view, tuple(self.all_votes()), self.lost_ms)))
        kept, self._unwritten = self._unwritten, None
        return (log,) if kept is None else (log, (VOTES_TABLE, KEPT_KEY, encode(kept)))


def new_log() -> Write:
    """The write that gives a key that never signed anything its log."""
    return (VOTES_TABLE, LATEST_KEY, encode(((0, 0), (), 0)))


def lost_log(epoch: int, now_ms: int) -> Write:
    """The write that closes an epoch, and all before it, to a key whose log was found to be an older one."""
    return (VOTES_TABLE, LATEST_KEY, encode(((epoch + 1, 0), (), max(now_ms, 1))))
