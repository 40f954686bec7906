"""What a manager owes to certificates and proposals that it hears: to hand them on, fetch what they name, look again.

Of these duties too, as of those in `harness.hunt.duties`, no bound tells that one is neglected: the next certificate
makes up for it. The protocol does (section 4).
"""

from __future__ import annotations

from typing import Any

from harness.hunt.duties import is_busy, kind_of
from harness.invariants import Diverged
from lucid.chain.certificates import Certificate, verify_certificate
from lucid.chain.errors import Refusal
from lucid.chain.validators import ValidatorSet
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import (
    GAP_TIMER,
    SPREAD_TIMER,
    Assembled,
    BlockFinal,
    BlockValid,
    Broadcast,
    CertificateStored,
    Effects,
    Forward,
    Observe,
    Publish,
    Received,
    TimerFired,
    Verdict,
)
from lucid.machines.forktree import ForkTree
from lucid.machines.manager import Manager
from lucid.machines.manager.gaps import stands_on
from lucid.machines.manager.relay import Spreading
from lucid.machines.manager.syncing import Syncing
from lucid.machines.messages import CertificateMessage, Message, Proposal, encode_message
from sim.runner import Runner
from sim.world import World

HANDED_ON = "a certificate is handed on once"
WHOLE = "an assembled certificate has a quorum"
GENUINE = "what a traitor certifies is verified"
FETCHED = "a certified block that is not at hand is asked for"
FINAL = "finality of what is at hand is taken"
LOOKED_AT_AGAIN = "a proposal that lacks nothing does not wait"
GAP = "skips that a proposal lacks are asked for again"
TAKEN = "a closing block that comes again is taken"
SPREAD = "a large proposal is sent again where votes do not come"
SKIPPED = "a proposal is judged once the skips between are held"

_PROPOSAL = Proposal.__struct_config__.tag
_CERTIFICATE = CertificateMessage.__struct_config__.tag


class Hearing:
    """A tap on every honest manager that raises `Diverged`; `checks` counts what was judged."""

    machine = Manager
    votes = False

    def __init__(self, world: World) -> None:
        self.checks = 0
        self._world = world
        self._byzantine = world.byzantine
        self._honest = {node.key for node in world.nodes if node.index not in world.byzantine}
        self._validators = ValidatorSet(tuple([node.key for node in world.genesis.nodes]))
        self._spreading: dict[int, tuple[Manager, Spreading | None]] = {}
        self._pending: list[Certificate | None] = [None] * len(world.nodes)
        """Finality that waited for its block before an event, by node."""

    def __call__(self, runner: Runner, now: int, event: Any, effects: Effects) -> None:
        """A machine handled an event at `now` of its node's clock, and wants these effects done."""
        manager, index, type_ = runner.machine, runner.node.index, type(event)
        assert isinstance(manager, Manager)
        if index in self._byzantine or manager.chain.outdated:
            return
        kind = kind_of(event)
        message = _message(manager, now, event) if kind in (_CERTIFICATE, _PROPOSAL) else None
        if type(message) is CertificateMessage:
            self._check_certificate(runner, manager, now, message.certificate, event.peer, effects)
        elif type(message) is Proposal:
            self._check_proposal(runner, manager, event.peer, message)
        elif type_ is Assembled:
            self._check_assembled(runner, manager, event.certificate)
            self._check_certificate(runner, manager, now, event.certificate, None, effects)
        elif type_ is Publish:
            self._spreading[index] = (manager, manager.dissemination.spreading)
        elif type_ is TimerFired and event.timer == SPREAD_TIMER:
            self._check_spread(runner, manager)
        if effects:
            self._check_told(runner, manager, effects)
            if manager.pool.waiting and (kind in (_CERTIFICATE, _PROPOSAL) or type_ in (Assembled, TimerFired)):
                self._check_waiting(runner, manager, event, effects)
        self._pending[index] = manager.chain.pending_final

    # -- certificates --------------------------------------------------------------------------------------------

    def _check_certificate(
        self, runner: Runner, manager: Manager, now: int, heard: Certificate, peer: bytes | None, effects: Effects
    ) -> None:
        """What is new is handed on; what it names is fetched, or final; what a traitor sent holds if it was taken."""
        self.checks += 1
        name, tree, final = runner.node.name, manager.chain.tree, heard.kind == FINALIZE
        new = not final and any(_stored(each) == heard for each in effects)
        waits = final and manager.chain.pending_final == heard != self._pending[runner.node.index]
        if new and not _handed_on(heard, effects):
            raise Diverged(HANDED_ON, f"{name} took the certificate of view {heard.epoch}/{heard.view} for itself")
        taken = new or waits or (final and any(_finalized(each) == heard.block for each in effects))
        if taken and peer is not None and peer not in self._honest and not self._holds(manager, heard):
            what = f"the certificate of view {heard.epoch}/{heard.view}"
            raise Diverged(GENUINE, f"{name} took {what}, which nobody gave, from {self._name(peer)}")
        missing = waits or (new and heard.kind == NOTARIZE and heard.block in tree.wanted)
        if missing and not is_busy(manager.syncing.repairing, now):
            raise Diverged(FETCHED, f"{name} lacks the block of view {heard.epoch}/{heard.view}, and asks nobody")
        at_hand = (
            final and heard.epoch == tree.epoch and heard.block in tree.nodes and heard.view >= tree.root.certified
        )
        if at_hand and heard.block != tree.root.hash and self._holds(manager, heard):
            raise Diverged(
                FINAL, f"{name} has the block that is final by view {heard.epoch}/{heard.view}, and leaves it"
            )

    def _check_assembled(self, runner: Runner, manager: Manager, certificate: Certificate) -> None:
        count, quorum = len(certificate.signatures), manager.chain.validators.quorum
        if certificate.epoch == manager.chain.tree.epoch and count < quorum:
            what = f"a certificate of view {certificate.epoch}/{certificate.view}"
            raise Diverged(WHOLE, f"{runner.node.name} made {what} of {count} votes, a quorum is {quorum}")

    def _holds(self, manager: Manager, certificate: Certificate) -> bool:
        """Whether a quorum signed it. Whose set was changed by what the swarm does not do is not judged."""
        if manager.chain.validators.hash != self._validators.hash:
            return True
        return verify_certificate(certificate, manager.chain.chain_id, self._validators, self._world.clients)

    def _check_told(self, runner: Runner, manager: Manager, effects: Effects) -> None:
        """What the engine is told of: skips between are held, and how an epoch ended is handed on."""
        tree = manager.chain.tree
        for effect in effects:
            if type(effect) is not Forward:
                continue
            told = effect.event
            if type(told) is Verdict and told.epoch == tree.epoch:
                self.checks += 1
                # What was held below the last final block is let go of.
                lacks = _lacks(tree, max(told.base_view, tree.root.certified, tree.root.view), told.view)
                if lacks:
                    what = f"the proposal of {told.epoch}/{told.view} for valid without the skip of view {lacks}"
                    raise Diverged(SKIPPED, f"{runner.node.name} takes {what}")
            elif type(told) is CertificateStored and told.certificate.kind == FINALIZE:
                self.checks += 1
                if not _handed_on(told.certificate, effects):
                    raise Diverged(HANDED_ON, f"{runner.node.name} keeps to itself that epoch's end is final")

    # -- proposals -----------------------------------------------------------------------------------------------

    def _check_proposal(self, runner: Runner, manager: Manager, peer: bytes, proposal: Proposal) -> None:
        """A closing block of an honest leader is taken by whoever lacks it."""
        if peer not in self._honest:
            return
        vote, tree, header = proposal.vote, manager.chain.tree, proposal.block.header
        if vote.view == header.view or vote.signer not in self._honest or vote.epoch != tree.epoch:
            return
        self.checks += 1
        lacking = vote.block not in tree.nodes and vote.view > tree.entry_view
        if lacking and header.parent in tree.nodes:
            raise Diverged(TAKEN, f"{runner.node.name} lacks the closing block {header.height}, and refuses it")

    def _check_waiting(self, runner: Runner, manager: Manager, event: Any, effects: Effects) -> None:
        """Each proposal that waits lacks something, and skips that it lacks are asked for again.

        Pages are looked through once they end, so what came by them is not judged.
        """
        tree, name = manager.chain.tree, runner.node.name
        new = any(_stored(each) is not None or _is_valid(each) for each in effects)
        for (view, _), (_, message) in sorted(manager.pool.waiting.items(), key=lambda each: each[0]):
            at_hand = message.block.header.parent in tree.nodes or message.vote.block in tree.nodes
            if not at_hand or message.vote.epoch != tree.epoch or view <= tree.entry_view:
                continue
            self.checks += 1
            lacks = _lacks(tree, manager.gaps.base_view(stands_on(message)), view)
            if not lacks and new and type(event) is not TimerFired:
                raise Diverged(LOOKED_AT_AGAIN, f"{name} lets a proposal of view {tree.epoch}/{view} wait")
            if lacks and view == tree.entry_view + 1 and not manager.gaps._due_ms and not _among_pages(manager.syncing):
                if type(event) is TimerFired and event.timer != GAP_TIMER:
                    continue
                raise Diverged(GAP, f"{name} lacks the skip of view {tree.epoch}/{lacks}, and does not ask again")

    def _check_spread(self, runner: Runner, manager: Manager) -> None:
        """Its timer fired: a large proposal of the view that lasts is on its way, or everybody was sent it."""
        known, spreading = self._spreading.get(runner.node.index, (manager, None))
        if known is not manager or spreading is None:
            return
        tree = manager.chain.tree
        self.checks += 1
        lasts = (spreading.vote.epoch, spreading.vote.view) == (tree.epoch, tree.entry_view + 1)
        if lasts and manager.dissemination.spreading is None and _lacking(spreading):
            raise Diverged(SPREAD, f"{runner.node.name} leads view {tree.epoch}/{spreading.vote.view}, and gives it up")

    def _name(self, key: bytes) -> str:
        return self._world.nodes[self._world.index[key]].name


def _message(manager: Manager, now: int, event: Received) -> Message | None:
    """What a peer sent, if it is heard, and can be read."""
    if manager.forgeries.any and manager.forgeries.barred(now, event.peer):
        return None
    try:
        return decode_message(event.data)
    except Refusal:
        return None


def _among_pages(syncing: Syncing) -> bool:
    """Whether the next page was asked for as one came: what that one brought is looked through after the last."""
    slots = (syncing.following, syncing.repairing)
    return any(each.question is not None and each.useful_ms == each.question.asked_ms for each in slots)


def _stored(effect: Any) -> Certificate | None:
    """The certificate that an engine is told of as new."""
    told = effect.event if type(effect) is Forward else None
    return told.certificate if type(told) is CertificateStored else None


def _finalized(effect: Any) -> bytes | None:
    """The block that became final; a forged certificate may name none at all, as a skip does."""
    fact = effect.fact if type(effect) is Observe else None
    return fact.hash if type(fact) is BlockFinal else None


def _is_valid(effect: Any) -> bool:
    return type(effect) is Observe and type(effect.fact) is BlockValid


def _lacks(tree: ForkTree, base_view: int, view: int) -> int:
    """The first view between that lacks its skip, or 0; by itself, as what a manager goes by is switched off too."""
    return next((each for each in range(base_view + 1, view) if (each, SKIP) not in tree.certificates), 0)


def _lacking(spreading: Spreading) -> bool:
    """Whether somebody has neither voted nor been sent it by its leader."""
    reached = spreading._voted | spreading._tried
    return any(each not in reached for group in spreading._groups for each in group)


def _handed_on(certificate: Certificate, effects: Effects) -> bool:
    data = encode_message(CertificateMessage(certificate))
    return any(type(each) is Broadcast and each.data == data for each in effects)
