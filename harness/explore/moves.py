"""What a node can do next: the real machines run once for each way to stand and each thing that can happen then.

Machines are functions of what they hold and what they are told, so what one did is remembered, by the fingerprint of
how it stood. Votes short of a quorum change nothing that anyone could see, so those of a quorum are heard as one.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.explore.brokenrule import BrokenRule
from harness.explore.fingerprint import fingerprint
from harness.explore.freezer import Freezer
from harness.explore.letter import Subject, members
from harness.explore.post import Post
from harness.explore.replica import Replica
from harness.explore.setting import Setting
from harness.explore.traitor import Traitor
from lucid.chain.votes import FINALIZE, NOTARIZE, SKIP
from lucid.machines.messages import CertificatesRequest, VoteMessage

IN_TIME = "a valid proposal in time is voted for"


class Happening(NamedTuple):
    """Something that can happen to a node: it hears letters, one after the other, or a timer of it fires."""

    letters: tuple[int, ...] = ()
    timer: str = ""


class MoveOutcome(NamedTuple):
    """How a node stands after something happened, the letters that it sent, and after how many marks it crashed."""

    stand: int
    sent: int
    happening: Happening
    cut: int | None
    broken: BrokenRule | None = None


class NodeState:
    """A node as it stands: its bytes, and what a search asks of it most."""

    __slots__ = ("crashes", "data", "deaf", "done", "held", "outcomes", "place", "timers")

    def __init__(self, replica: Replica, data: bytes) -> None:
        self.data = data
        self.place = replica.place
        self.crashes = replica.crashes
        self.done = _is_done(replica)
        self.held = _held(replica)
        """(view, kind) of what is certified here already."""
        self.timers = replica.timers()
        self.deaf = 0
        """Letters that change nothing here."""
        self.outcomes: dict[Happening, tuple[MoveOutcome, ...]] = {}


class Moves:
    """The nodes of an exploration as they can stand, by number, and what leads from one stand to another."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.post = Post(setting)
        self.traitor = Traitor(setting, self.post)
        self.freezer = Freezer(setting)
        self.stands: list[NodeState] = []
        self._numbers: dict[bytes, int] = {}

    def start(self) -> tuple[tuple[int, ...], int]:
        """The honest nodes after their start, and what they sent."""
        numbers, sent = [], 0
        for place in self.setting.honest:
            replica = Replica(self.setting, place)
            sent |= self._sent(replica)
            numbers.append(self._stand(replica))
        return tuple(numbers), sent

    def thaw(self, number: int) -> Replica:
        """A node that stands so."""
        return self.freezer.thaw(self.stands[number].data)

    def outcomes(self, number: int, sent: int) -> list[MoveOutcome]:
        """All that can become of a node in the next step, once these letters were sent, other than nothing."""
        stand = self.stands[number]
        found: list[MoveOutcome] = []
        for happening in self._happenings(stand, sent):
            outcomes = stand.outcomes.get(happening)
            if outcomes is None:
                outcomes = stand.outcomes[happening] = self._happen(number, happening)
                if not outcomes and len(happening.letters) == 1:
                    stand.deaf |= 1 << happening.letters[0]
            found += outcomes
        return found

    def _happenings(self, stand: NodeState, sent: int) -> list[Happening]:
        letters, place = self.post.letters, stand.place
        found: list[Happening] = []
        votes: dict[Subject, list[int]] = {}
        certified: set[Subject] = set()
        for number in members(sent | self.traitor.says(sent)):
            letter = letters[number]
            subject = letter.subject
            if letter.receiver not in (None, place) or (subject is not None and subject[:2] in stand.held):
                continue
            if subject is None:
                if letter.sender != place and not stand.deaf >> number & 1:
                    found.append(Happening((number,)))
            elif isinstance(letter.message, VoteMessage):
                votes.setdefault(subject, []).append(number)
            elif subject not in certified:
                # Whose signatures are on a certificate makes no difference to who takes it.
                certified.add(subject)
                found.append(Happening((number,)))
        if stand.done:
            # All that it does for the others from here on is to answer.
            return [each for each in found if isinstance(letters[each.letters[0]].message, CertificatesRequest)]
        quorums = [self._quorum(place, numbers) for subject, numbers in votes.items() if subject not in certified]
        found += [Happening(quorum) for quorum in quorums if quorum]
        return found + [Happening(timer=timer) for timer in stand.timers]

    def _quorum(self, place: int, numbers: list[int]) -> tuple[int, ...]:
        """The votes of others that make a quorum with a node's own, the traitor's only if it takes it; none if not."""
        letters, quorum = self.post.letters, self.setting.quorum
        others = [number for number in numbers if letters[number].sender != place]
        honest = [number for number in others if letters[number].sender != self.traitor.place]
        own = len(numbers) - len(others)
        if len(honest) + own >= quorum:
            return tuple(honest)
        return tuple(others) if len(others) + own >= quorum else ()

    def _happen(self, number: int, happening: Happening) -> tuple[MoveOutcome, ...]:
        """Run the machines: to the end, and with each crash on the way that makes a difference."""
        found = []
        stand = self.stands[number]
        whole = self._run(number, happening, None)
        if whole.broken is not None:
            return (whole,)
        if whole.stand != number or whole.sent:
            found.append(whole)
        if stand.crashes < self.setting.scope.crashes:
            seen = {(each.stand, each.sent) for each in found}
            # Before its first mark a crash is the same whatever happens, and after its last one it is the next step's.
            for cut in range(0 if happening.timer else 1, self._points):
                crashed = self._run(number, happening, cut)
                if (crashed.stand, crashed.sent) not in seen:
                    seen.add((crashed.stand, crashed.sent))
                    found.append(crashed)
        return tuple(found)

    def _run(self, number: int, happening: Happening, cut: int | None) -> MoveOutcome:
        replica = self.thaw(number)
        try:
            if happening.timer:
                self._check_in_time(replica, happening.timer)
                replica.fire(happening.timer, cut)
            else:
                letters = [self.post.letters[each] for each in happening.letters]
                replica.hear([(self.setting.keys[each.sender], each.data) for each in letters], cut)
            if cut is None:
                self._points = replica.points
            sent = self._sent(replica)
        except BrokenRule as broken:
            return MoveOutcome(number, 0, happening, cut, broken)
        except Exception as error:
            return MoveOutcome(
                number, 0, happening, cut, BrokenRule("a machine holds itself to its rules", repr(error))
            )
        return MoveOutcome(self._stand(replica), sent, happening, cut)

    def _check_in_time(self, replica: Replica, timer: str) -> None:
        """When a view's timer fires, a valid proposal that was here in time, on what is held, has this node's vote."""
        verdict, engine = replica.manager.pool.verdict, replica.engine
        state = engine.state
        if timer != "view" or verdict is None or state is None or (verdict.epoch, verdict.view) != state.view:
            return
        parameters = self.setting.genesis.parameters
        at_ms = replica.halves[1].timers[timer]
        tick_ms = self.setting.genesis.tick_ms(verdict.tick)
        drift_ms = parameters.max_clock_drift_ms
        allowed_ms = parameters.block_interval_ms + parameters.slot_timeout_ms + drift_ms
        signed = engine.log.votes(state.view)
        if tick_ms - drift_ms <= at_ms <= tick_ms + allowed_ms and not (NOTARIZE in signed or SKIP in signed):
            raise BrokenRule(
                IN_TIME,
                f"n{replica.place} held a valid proposal of view {verdict.view} on view {verdict.base_view} and the "
                f"skips between, and gave the view up without a vote for it",
            )

    def _sent(self, replica: Replica) -> int:
        sent = 0
        for each in replica.sent:
            sent |= self.post.put(replica.place, each)
        return sent

    def _stand(self, replica: Replica) -> int:
        # What a node does that has left the last view is to answer by what it has stored.
        mark = fingerprint(replica, stores_only=_is_done(replica))
        number = self._numbers.get(mark)
        if number is None:
            number = self._numbers[mark] = len(self.stands)
            self.stands.append(NodeState(replica, self.freezer.freeze(replica)))
        return number


def _is_done(replica: Replica) -> bool:
    """Whether a node has left the last view of the scope."""
    return replica.engine.view[1] > replica.setting.scope.views


def _held(replica: Replica) -> frozenset[tuple[int, int]]:
    """(view, kind) of the certificates that a node holds, and of finality up to its last final block's view."""
    tree = replica.manager.chain.tree
    final = {(view, FINALIZE) for view in range(1, tree.root.view + 1)}
    return frozenset(final | set(tree.certificates))
