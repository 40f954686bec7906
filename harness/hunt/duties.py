"""What a manager owes to who is behind, and to itself while it is: whatever makes up for it later (section 4).

Without these duties a network comes back all the same, somewhat later, by the next view or the next certificate. So no
bound tells that one of them is neglected; the protocol does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.invariants import Diverged
from lucid.chain.certificates import verify_certificate
from lucid.chain.errors import Refusal
from lucid.chain.validators import ValidatorSet
from lucid.machines.chain import BLOCK_TABLE, CERTIFICATE_TABLE
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import SYNC_TIMER, Effects, Forward, PeerJoined, Received, Send, Store, TimerFired, Verdict
from lucid.machines.manager import Manager
from lucid.machines.manager.syncing import Question, Slot
from lucid.machines.messages import Blocks, Part, Proposal, SnapshotOffer, Standing
from sim.runner import Runner
from sim.world import World

ANSWERED = "who is behind is answered"
ASKING = "who knows that it is behind asks"
ROTATING = "who did not answer is passed over"
ONWARD = "a question begins above what is at hand"
PROVEN = "a closing block comes again only on its notarization"

KEPT = (BLOCK_TABLE, CERTIFICATE_TABLE)
"""Where what a proposal brings is kept; a manager may write its snapshot beside, whatever the message."""
SECOND_MS = 1_000
_STANDING = Standing.__struct_config__.tag
_PROPOSAL = Proposal.__struct_config__.tag
_ANSWERS = {kind.__struct_config__.tag for kind in (Blocks, Part, SnapshotOffer)}


class _Asked(NamedTuple):
    """The question that a manager had open before an event, if any, and who left such ones open before."""

    manager: Manager | None
    question: Question | None
    silent: frozenset[bytes]
    since: frozenset[bytes]
    """Whom it has asked since the first of those."""
    useless: frozenset[bytes] = frozenset()
    """Whose last answers the manager itself holds to be of no use."""
    joined: frozenset[bytes] = frozenset()
    """Whose connections are newer than the question: what was asked of them before may never have come."""


class Duties:
    """A tap on every honest manager that raises `Diverged`; `checks` counts what was judged."""

    machine = Manager
    votes = False

    def __init__(self, world: World) -> None:
        self.checks = 0
        self._world = world
        self._byzantine = world.byzantine
        self._honest = {node.key for node in world.nodes if node.index not in world.byzantine}
        self._asked = [_Asked(None, None, frozenset(), frozenset()) for _ in world.nodes]
        self._validators = ValidatorSet(tuple([node.key for node in world.genesis.nodes]))
        self._standings: dict[tuple[int, bytes], tuple[int, int]] = {}

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """A machine handled an event at `now` of its node's clock, and wants these effects done."""
        manager, index = runner.machine, runner.node.index
        assert isinstance(manager, Manager)
        if index in self._byzantine or manager.chain.outdated:
            return
        following, asked = manager.syncing.following, self._asked[index]
        kind = kind_of(event)
        if kind == _STANDING and event.peer in self._honest:
            self._check_standing(runner, manager, now, event, effects)
        elif kind == _PROPOSAL and effects:
            self._check_repeat(runner, event, effects)
        if asked.manager is not manager:
            asked = _Asked(manager, None, frozenset(), frozenset())
        if type(event) is PeerJoined:
            peer = frozenset((event.peer,))
            asked = asked._replace(silent=asked.silent - peer, joined=asked.joined | peer)
        if not following.useless and (asked.question is None or asked.useless) and (asked.silent or asked.since):
            # All were asked, and a newer certificate or proposal begins the next round with who sent it.
            asked = asked._replace(silent=frozenset(), since=frozenset())
        if following.question is not asked.question or type(event) is TimerFired:
            asked = self._check_question(runner, manager, now, event, effects, asked)
        if asked.useless != following.useless:
            asked = asked._replace(useless=frozenset(following.useless))
        self._asked[index] = asked

    # -- who is behind is answered, and asks ---------------------------------------------------------------------

    def _check_standing(self, runner: Runner, manager: Manager, now: int, event: Received, effects: Effects) -> None:
        standing = decode_message(event.data)
        assert isinstance(standing, Standing)
        tree = manager.chain.tree
        if manager.forgeries.any and manager.forgeries.barred(now, event.peer):
            return
        if (standing.epoch, standing.view) < (tree.epoch, tree.entry_view + 1):
            subject, second = (runner.node.index, event.peer), now // SECOND_MS
            since, count = self._standings.get(subject, (second, 0))
            count = count + 1 if since == second else 1
            self._standings[subject] = (second, count)
            self.checks += 1
            answered = any(type(each) is Send and each.peer == event.peer and _is_standing(each) for each in effects)
            if not answered and count <= manager.limits.standings_a_second:
                raise Diverged(ANSWERED, f"{runner.node.name} does not say to {self._name(event.peer)} where it stands")
        ahead = standing.final_height > tree.root.height + manager.limits.near_blocks or standing.epoch > tree.epoch
        if ahead and not is_busy(manager.syncing.following, now):
            raise Diverged(
                ASKING,
                f"{runner.node.name} is final up to height {tree.root.height}, heard of {standing.final_height} from "
                f"{self._name(event.peer)}, and asks nobody",
            )

    # -- what it lets its engine vote for ------------------------------------------------------------------------

    def _check_repeat(self, runner: Runner, event: Received, effects: Effects) -> None:
        """A proposal on a notarization that does not hold is neither passed on nor stored."""
        taken = any(
            any(table in KEPT for table, _, _ in each.writes)
            if type(each) is Store
            else type(each) is Forward and type(each.event) is Verdict
            for each in effects
        )
        if not taken:
            return
        try:
            proposal = decode_message(event.data)
        except Refusal:
            return  # what was stored had waited for something else
        assert isinstance(proposal, Proposal)
        proof, header = proposal.notarization, proposal.block.header
        if proof is None or proposal.vote.view == header.view:
            return
        self.checks += 1
        signers = self._validators  # no swarm registers or retires anyone
        if header.validators == signers.hash and not verify_certificate(
            proof, header.chain, signers, self._world.clients
        ):
            raise Diverged(PROVEN, f"{runner.node.name} took block {header.height} again on a forged notarization")

    # -- its questions -------------------------------------------------------------------------------------------

    def _check_question(
        self, runner: Runner, manager: Manager, now: int, event: Any, effects: Effects, asked: _Asked
    ) -> _Asked:
        """A question was put, answered, or left open for too long."""
        kind = kind_of(event)
        syncing, before, silent = manager.syncing, asked.question, asked.silent
        following, name = syncing.following, runner.node.name
        question = following.question
        if question is before or (before is not None and question is not None and question.number == before.number):
            return asked._replace(question=question)
        self.checks += 1
        if before is not None and type(event) is TimerFired and event.timer == SYNC_TIMER:
            silent |= {before.peer} - asked.joined
            if syncing._asks_for_more(following) and not is_busy(following, now):
                raise Diverged(ASKING, f"{name} had no answer from {self._name(before.peer)}, and asks nobody else")
        elif before is not None and kind in _ANSWERS:
            silent -= {before.peer}
            if kind == Blocks.__struct_config__.tag:
                self._check_page(runner, manager, now, event, before, effects)
        if question is None:
            return _Asked(manager, None, silent if following.useless else frozenset(), asked.since)
        if question.peer in silent:
            if set(syncing.sources.peers) - silent - following.useless - asked.since:
                peer = self._name(question.peer)
                raise Diverged(ROTATING, f"{name} asks {peer} again, which did not answer, before all others")
            silent = frozenset()
        if kind not in _ANSWERS and syncing._download is None:
            self._check_start(runner, manager, question)
        since = asked.since | {question.peer} if silent else frozenset()
        return _Asked(manager, question, silent, since)

    def _check_page(
        self, runner: Runner, manager: Manager, now: int, event: Received, before: Question, effects: Effects
    ) -> None:
        """After a page that was full there is another; one that does not follow is asked for from the root on."""
        if event.peer not in self._honest:
            return
        page = decode_message(event.data)
        assert isinstance(page, Blocks)
        tree, following = manager.chain.tree, manager.syncing.following
        if not page.blocks:
            return
        last, first = page.blocks[-1].header, page.blocks[0].header
        full = len(page.blocks) == manager.limits.page_blocks and any(type(each) is Store for each in effects)
        # The timer of the question that is answered may still be set; who finds nobody to ask has set it anew.
        waits = following.due_ms >= now + manager.limits.answer_ms
        if full and last.hash in tree.nodes and following.question is None and not waits:
            raise Diverged(
                ASKING, f"{runner.node.name} has a full page up to height {last.height}, and asks no further"
            )
        root = tree.root.height + 1
        question = following.question
        if first.epoch > tree.epoch and before.height > root and (question is None or question.height != root):
            height = "no further" if question is None else f"for height {question.height}"
            raise Diverged(
                ASKING, f"{runner.node.name} has a page of epoch {first.epoch} in epoch {tree.epoch}, and asks {height}"
            )

    def _check_start(self, runner: Runner, manager: Manager, question: Question) -> None:
        tree = manager.chain.tree
        if question.height <= tree.best.height - manager.limits.page_blocks:
            name, height = runner.node.name, question.height
            raise Diverged(ONWARD, f"{name} has blocks up to height {tree.best.height}, and asks from {height} on")

    def _name(self, key: bytes) -> str:
        return self._world.nodes[self._world.index[key]].name


def kind_of(event: Any) -> int:
    """The tag of the message that an event brings, or 0."""
    return event.data[1] if type(event) is Received and len(event.data) > 1 else 0


def is_busy(slot: Slot, now: int) -> bool:
    """Whether a slot has a question open, or a timer set for the next one."""
    return slot.question is not None or slot.due_ms > now


def _is_standing(effect: Send) -> bool:
    return effect.data[1] == _STANDING
