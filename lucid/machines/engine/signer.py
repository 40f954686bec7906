"""A validator's signer: its key, and the log of its own votes by which it never contradicts itself (section 4)."""

from __future__ import annotations

from lucid.chain.genesis import Genesis
from lucid.chain.keys import Crypto
from lucid.chain.votes import FINALIZE, PROPOSE, Vote, vote_message
from lucid.ledger.rowstore import Reader
from lucid.machines.effects import BroadcastVote, Effects, Forward, Observe, Publish, Signed, Store, ViewContext
from lucid.machines.votelog import VoteLog


class Signer:
    """Signs the votes and the blocks of one key, whose seed is `secret`; `reader` reads the store that has its log.

    Of what it returns the log's write comes first: a vote that others have and this log forgot could be contradicted
    after a restart, and the key would be guilty of two (section 4, Evidence).
    """

    def __init__(self, secret: bytes, genesis: Genesis, crypto: Crypto, reader: Reader) -> None:
        self.key = crypto.public_key(secret)
        self.log = VoteLog(reader)
        self._secret = secret
        self._genesis = genesis
        self._crypto = crypto
        self._witnessed = False
        """Whether the current epoch went on while this node looked on: only then is a lost vote log forgiven."""

    def witness(self, kind: int) -> None:
        """Note that a certificate of this kind was told of as it came."""
        # A finality certificate ends no view, and pages of an older chain bring them too.
        self._witnessed = self._witnessed or kind != FINALIZE

    def open_epoch(self, context: ViewContext, now: int) -> bool:
        """Decide whether this key may sign in an epoch, the first one after a start included; returns whether the log
        changed."""
        # The tick that opened the epoch is known on its first block only; clocks may differ by the drift.
        opened_ms = self._genesis.tick_ms(context.parent_tick) if context.parent_view == 0 else 0
        opened_ms -= self._genesis.parameters.max_clock_drift_ms
        witnessed, self._witnessed = self._witnessed, False
        return self.log.open_epoch(context.epoch, opened_ms, now, witnessed)

    def vote(self, epoch: int, view: int, kind: int, block: bytes) -> tuple[Vote, Effects]:
        """Sign a vote, make it durable, and send it."""
        vote = self._sign(epoch, view, kind, block)
        return vote, [
            Store(self.log.writes()),
            Observe(Signed(vote)),
            Forward(BroadcastVote(vote)),
        ]

    def propose(self, epoch: int, view: int, block: bytes, patience_ms: int) -> Effects:
        """Sign a new block and propose it."""
        return self._publish(epoch, view, block, self._crypto.sign(self._secret, block), patience_ms)

    def repeat(self, epoch: int, view: int, block: bytes, patience_ms: int) -> Effects:
        """Propose a closing block again: it has its own proposer's signature (section 4, Repeats)."""
        return self._publish(epoch, view, block, bytes(64), patience_ms)

    def _publish(self, epoch: int, view: int, block: bytes, signature: bytes, patience_ms: int) -> Effects:
        vote = self._sign(epoch, view, PROPOSE, block)
        publish = Publish(vote, signature, patience_ms)
        return [Store(self.log.writes()), Observe(Signed(vote)), Forward(publish)]

    def _sign(self, epoch: int, view: int, kind: int, block: bytes) -> Vote:
        message = vote_message(self._genesis.chain_id, epoch, view, kind, block)
        signature = self._crypto.sign(self._secret, message)
        vote = Vote(epoch=epoch, view=view, kind=kind, block=block, signer=self.key, signature=signature)
        self.log.record(vote)
        return vote
