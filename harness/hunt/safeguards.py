"""The safeguards that are switched off one at a time: where each stands, and what is put in its place."""

from __future__ import annotations

from typing import NamedTuple

from lucid.chain.validators import ValidatorSet
from lucid.machines.chain import Chain
from lucid.machines.engine import Engine
from lucid.machines.engine.admission import Admission
from lucid.machines.engine.polls import Polls
from lucid.machines.engine.proposer import Proposer
from lucid.machines.engine.signer import Signer
from lucid.machines.engine.timeout import Timeout
from lucid.machines.engine.viewclock import ViewClock
from lucid.machines.forktree import ForkTree
from lucid.machines.manager import Manager
from lucid.machines.manager.book import CertificateBook
from lucid.machines.manager.dissemination import Dissemination
from lucid.machines.manager.forgeries import Forgeries
from lucid.machines.manager.proposals import Proposals
from lucid.machines.manager.standings import Standings
from lucid.machines.manager.syncing import Syncing
from lucid.machines.replication import Replicator
from lucid.machines.replication.fetching import Fetching
from lucid.machines.replication.offering import Offering
from lucid.machines.votelog import VoteLog


class Safeguard(NamedTuple):
    """`old` in the source of `owner.method` is what protects; with `new` in its place it does not."""

    name: str
    about: str
    owner: type
    method: str
    old: str
    new: str
    profile: str = "all"
    """The swarm in which it is missed soonest."""
    also: tuple[str, ...] = ()
    """Safeguards that stand behind it, and are switched off with it: each alone keeps the same promise."""


_ALL = (
    Safeguard(
        "own-votes", "a restarted engine counts the votes of its own log", Engine, "_enter",
        "effects += self._count_own(now)", "pass", profile="crash",
    ),
    Safeguard(
        "vote-durable", "a vote is in the log before it leaves", Signer, "vote",
        "Store(self.log.writes()),\n", "\n",
    ),
    Safeguard(
        "proposal-durable", "a proposal is in the log before it leaves", Signer, "_publish",
        "Store(self.log.writes()), ", "", profile="crash",
    ),
    Safeguard(
        "no-finalize-late", "no finalize in a view whose timer fired", Engine, "_vote_finalize",
        "(view == current and state.timed_out) or ", "", profile="crash", also=("no-finalize-after-own-skip",),
    ),
    Safeguard(
        "no-finalize-after-skip", "no finalize in a view left by a skip", Engine, "_vote_finalize",
        "(view == current - 1 and state.by_skip)", "False", profile="crash", also=("no-finalize-after-own-skip",),
    ),
    Safeguard(
        "skip-first-after-restart", "after a restart the skip is taken to have come first", Engine, "_enter",
        "skipped or context.skipped", "skipped", profile="crash", also=("no-finalize-after-own-skip",),
    ),
    Safeguard(
        "no-notarize-late", "no notarize once the view's timer fired", Engine, "_on_verdict",
        " or state.timed_out or ", " or ", profile="crash", also=("no-notarize-after-own-skip",),
    ),
    Safeguard(
        "not-backdated", "no vote for a block of long ago", ViewClock, "too_late",
        "verdict.fresh and now > self._genesis.tick_ms(verdict.tick) + allowed_ms", "False", profile="slow",
    ),
    Safeguard(
        "not-early", "a block of the future is held, not voted for", Engine, "_on_verdict",
        "if now < from_ms:", "if False:",
    ),
    Safeguard(
        "older-parent", "a valid proposal on an older parent is voted for when half of the timeout is over",
        ViewClock, "from_ms", "self._begun_ms(state) + self._timeout.current_ms // 2", "1 << 62", profile="slow",
    ),
    Safeguard(
        "timeout-grows", "the timeout grows when views fail", Engine, "_on_certificate",
        "self.timeout.view_ended(skipped or (self.state is not None and self.state.timed_out))", "pass", profile="slow",
    ),
    Safeguard(
        "late-views-are-slow", "a block after the timer counts as a slow view", Engine, "_on_certificate",
        "skipped or (self.state is not None and self.state.timed_out)", "skipped", profile="slow",
    ),
    Safeguard(
        "slow-without-finality", "blocks that make nothing final do not interrupt a run of slow views", Timeout,
        "view_ended", "SLOW_TO_GROW in (self._slow, self._vain)", "SLOW_TO_GROW == self._slow", profile="behind",
    ),
    Safeguard(
        "timeout-bounded", "the timeout never grows beyond sixteen times its base", Timeout, "view_ended",
        "min(MAX_FACTOR, 2 * self._factor)", "8 * self._factor", profile="slow",
    ),
    Safeguard(
        "view-timer", "a view without a block ends by a skip", Engine, "_on_view_timer",
        "if self._votes_here(SKIP):", "if False:",
    ),
    Safeguard(
        "said-again", "what is outstanding is retransmitted", Engine, "_resend",
        "Forward(Retransmit(*self.view, self.log.outstanding(self.view))),", "",
    ),
    Safeguard(
        "finalize-said-again", "the finalize of the view before is retransmitted", VoteLog, "outstanding",
        "if left is not None:", "if False:",
    ),
    Safeguard(
        "one-proposal", "a leader proposes once a view", Proposer, "prepare",
        "if not self._signer.log.may_sign(context.epoch, context.view, PROPOSE):", "if False:", profile="closings",
    ),
    Safeguard(
        "lost-log-waits", "a key whose log was lost waits for an epoch that it saw open", VoteLog, "open_epoch",
        "if witnessed and opened_ms > self.lost_ms:", "if True:",
    ),
    Safeguard(
        "finalize-handed-on", "who lost all but its vote log hands on what its finalize was signed on", VoteLog, "owed",
        "return kept if (kept.epoch, kept.view) == view and FINALIZE in self.votes(view) else None", "return None",
        profile="forgotten",
    ),
    Safeguard(
        "opening-handed-on", "who lost all but its vote log hands on what opened its epoch", VoteLog, "owed",
        "return kept if kept.epoch == view[0] else None", "return None", profile="forgotten",
    ),
    Safeguard(
        "one-vote-a-kind", "one vote of a kind in a view", VoteLog, "may_sign",
        "if kind in signed:", "if False:",
    ),
    Safeguard(
        "no-skip-after-finalize", "no skip of a view that was finalized", VoteLog, "may_sign",
        "return FINALIZE not in signed and (epoch, view) == self._open", "return (epoch, view) == self._open",
        profile="crash",
    ),
    Safeguard(
        "no-finalize-after-own-skip", "no finalize of a view that was skipped", VoteLog, "may_sign",
        "return SKIP not in signed and self.view[0] == epoch", "return self.view[0] == epoch", profile="crash",
    ),
    Safeguard(
        "no-notarize-after-own-skip", "no notarize in a view that was skipped", VoteLog, "may_sign",
        "return SKIP not in signed and (epoch, view) == self._open", "return (epoch, view) == self._open",
        profile="crash",
    ),
    Safeguard(
        "views-only-forward", "a log that is read closes the views it left", VoteLog, "may_sign",
        "return SKIP not in signed and (epoch, view) == self._open", "return SKIP not in signed",
    ),
    Safeguard(
        "quorum", "more than two thirds make a certificate", ValidatorSet, "__init__",
        "2 * len(self.keys) // 3 + 1", "max(1, len(self.keys) // 2)",
    ),
    Safeguard(
        "first-vote-counts", "of two votes of one validator the first counts alone", Polls, "count",
        "self._accuse(poll, index, known, vote)\n        return None", "pass", profile="byzantine",
    ),
    Safeguard(
        "votes-verified", "a vote's signature is verified", Polls, "count",
        "if not self.crypto.verify(vote.signer, message, vote.signature):", "if False:",
    ),
    Safeguard(
        "forgers-barred", "a peer that sends what does not hold is not heard for a while", Forgeries, "barred",
        "self._counted.spent(now, peer)", "False", profile="byzantine",
    ),
    Safeguard(
        "forged-votes-bounded", "after some forged votes no more of a signer are looked at", Polls, "_hear",
        "if self._forged.get(index, 0) >= MAX_FORGED:", "if False:", profile="byzantine",
    ),
    Safeguard(
        "skips-held", "no vote while a view between lacks its skip", ForkTree, "missing_skips",
        "if (each, SKIP) not in self.certificates:", "if False:",
    ),
    Safeguard(
        "certificates-verified", "a certificate is verified", CertificateBook, "take",
        "if peer is not None and not self.chain.verify(certificate):", "if False:",
    ),
    Safeguard(
        "finality-verified", "a finality certificate is verified", CertificateBook, "_take_final",
        "if peer is not None and not self.chain.verify(certificate):", "if False:",
    ),
    Safeguard(
        "certificate-durable", "a certificate is durable before it is acted on", CertificateBook, "take",
        "effects: Effects = [Store(tuple(self.chain.record(certificate)))]",
        "self.chain.record(certificate)\n    effects: Effects = []",
    ),
    Safeguard(
        "block-durable", "a block is durable before it is voted for", CertificateBook, "add",
        "Store(tuple(self.chain.add(node))),", "*self.chain.add(node)[:0],",
    ),
    Safeguard(
        "certificates-forwarded", "a certificate is forwarded once", CertificateBook, "take",
        "effects.append(Broadcast(message))", "pass",
    ),
    Safeguard(
        "closing-forwarded", "the finality of a closing block is forwarded", CertificateBook, "_make_final",
        "effects.append(Broadcast(message))", "pass",
    ),
    Safeguard(
        "older-finality", "finality of what is at hand is taken while another waits", CertificateBook, "_take_final",
        "if node is None and pending is not None", "if pending is not None", profile="slow",
    ),
    Safeguard(
        "repair", "a certified block that is not at hand is asked for", CertificateBook, "take",
        "effects += self.syncing.repair_from(now, peer)", "pass",
    ),
    Safeguard(
        "repair-of-final", "a final block that is not at hand is asked for", CertificateBook, "_take_final",
        "return self.syncing.repair_from(now, peer)", "return []",
    ),
    Safeguard(
        "waiting-looked-at", "a proposal that waited for a block is looked at when it comes", Proposals, "on_proposal",
        "return effects + self.look_again(now) if came else effects",
        "return effects", profile="slow",
    ),
    Safeguard(
        "gap-asked-again", "skips that a proposal lacks are asked for again", Proposals, "_judge",
        "effects = self.gaps.watch(now)", "effects: Effects = []",
    ),
    Safeguard(
        "closing-taken", "a closing block that comes again is taken by who lacks it", Proposals, "_consider",
        "effects += self._take_closing(now, message)",
        'raise Refusal(Code.PROPOSAL_INVALID, "not at hand")', profile="closings",
    ),
    Safeguard(
        "spread-again", "a large proposal is sent again where votes do not come", Dissemination, "on_timer",
        "targets = spreading.targets()", "targets = []",
    ),
    Safeguard(
        "repeat-checked", "a closing block comes again only on its notarization", Proposals, "_check_repeat",
        "or not self.chain.verify(notarization)", "", profile="closings",
    ),
    Safeguard(
        "standing-answered", "who is behind is told", Standings, "on_standing",
        "if self._behind(message):", "if False:", profile="behind",
    ),
    Safeguard(
        "heights-heard", "a peer's greater height is a reason to ask", Manager, "_on_standing",
        "return effects + self.syncing.on_peer_height(now, peer, message.final_height, message.epoch)",
        "return effects", profile="behind",
    ),
    Safeguard(
        "peers-rotate", "who did not answer is not asked again at once", Syncing, "again",
        "slot.useless.add(peer)", "pass", profile="behind",
    ),
    Safeguard(
        "pages-go-on", "a page begins above the best block where pages lie between", Syncing, "_start",
        "if far else tree.root.height", "if False else tree.root.height", profile="behind",
    ),
    Safeguard(
        "full-pages-go-on", "after a full page there is another", Syncing, "page_done",
        "full = page.length == self.limits.page_blocks", "full = False", profile="closings",
    ),
    Safeguard(
        "unanswered-asked-again", "a question without an answer is asked again", Syncing, "on_timer",
        "return self.again(now, slot, question.peer)", "return []", profile="behind",
    ),
    Safeguard(
        "unfinal-kept", "blocks above the last final one are loaded after a restart", Chain, "_load",
        "self._load_unfinal(tree)", "pass", profile="crash",
    ),
    Safeguard(
        "certificates-kept", "certificates are loaded after a restart", Chain, "_load",
        "tree.record(certificate)", "pass", profile="crash",
    ),
    Safeguard(
        "accepted-durable", "an accepted transaction is durable before its client hears so", Admission, "on_submitted",
        "Store(((PENDING_TABLE, identity, encode(transaction)),)),", "", profile="crash",
    ),
    Safeguard(
        "accepted-taken-up", "what was accepted is taken up after a restart", Admission, "on_started",
        "self._own[identity] = 0", "self.mempool.remove(identity)", profile="crash",
    ),
    Safeguard(
        "closing-not-passed-over", "a closing block that is not final here is asked for again", Manager, "_on_blocks",
        "if self.syncing.passes_over(message, question):", "if False:", profile="closings",
    ),
    Safeguard(
        "copy-verified", "a chunk is said to be held once its bytes are verified and durable", Replicator, "_handled",
        "effects, over = self.fetching.on_part(now, event)\n",
        "effects, over = self.fetching.on_part(now, event)\n"
        "            if any(type(each).__name__ == 'EndFetch' and each.whole for each in effects):\n"
        "                effects += self._say_held(event.chunk, [])\n", profile="chunks",
    ),
    Safeguard(
        "next-holder", "who does not have a chunk is not the last to be asked for it", Fetching, "_next_source",
        "while fetch.sources:", "while fetch.sources and not fetch.peer:", profile="chunks",
    ),
    Safeguard(
        "copies-offered-again", "what lacks copies is offered again soon", Offering, "on_time",
        "if self.lacking and self._retry_ms is None:", "if False:", profile="chunks",
    ),
    Safeguard(
        "lost-chunks-repaired", "what is missing or corrupted is fetched again", Replicator, "_repair",
        "for chunk in faulty:", "for chunk in faulty[:0]:", profile="chunks",
    ),
    Safeguard(
        "offered-again", "what waits is offered again", Admission, "_offer_again",
        "again.append(transaction)", "pass", profile="crash",
    ),
)  # fmt: skip

SAFEGUARDS = {each.name: each for each in _ALL}
"""Every safeguard by its name."""
