"""Where an engine stands in its view: one frozen value, replaced whole, and the one table of its phases (section 4).

What this key has signed is not here but in the vote log, which outlives the process.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import structs

from lucid.chain.codec import Record
from lucid.machines.effects import ViewContext


class Phase(StrEnum):
    """What the engine does in its view."""

    OPEN = "open"
    """It may vote for a block; as the view's leader it may ask for one to propose."""
    BUILDING = "building"
    """As the leader it has asked the manager for a block, and may still vote for one."""
    TIMED_OUT = "timed out"
    """The view's timer fired: a skip is all that it signs here, and it neither proposes nor notarizes nor finalizes."""


class Cause(StrEnum):
    """What changes a phase."""

    ASKED = "the manager is asked for a block"
    BUILT = "the block is built"
    PARENT_MOVED = "a later parent to build on is at hand"
    TIMER = "the view's timer fires"


TRANSITIONS: dict[tuple[Phase, Cause], Phase] = {
    # Asked once: while a block is on its way another one would be a second proposal (rule 2).
    (Phase.OPEN, Cause.ASKED): Phase.BUILDING,
    # A child of the later parent may still be proposed in this view.
    (Phase.OPEN, Cause.PARENT_MOVED): Phase.OPEN,
    # Rule 4: from here on for the skip alone, so that a quorum of skips and one of finalize never meet in a view.
    (Phase.OPEN, Cause.TIMER): Phase.TIMED_OUT,
    # It is signed and sent, unless this key proposed in the view already, before a restart.
    (Phase.BUILDING, Cause.BUILT): Phase.OPEN,
    # What is being built stands on the older parent, and is not published.
    (Phase.BUILDING, Cause.PARENT_MOVED): Phase.OPEN,
    # What is built comes too late: those who would vote for it have timed out, too (rule 2: its timer has not fired).
    (Phase.BUILDING, Cause.TIMER): Phase.TIMED_OUT,
}
"""All there are; `docs/protocol.md` draws them. Each view begins open, and the next one begins from any phase."""


class ViewState(Record, kw_only=True):
    """A view that was entered, as far as it matters until the next one is.

    `entry_view` is that of the parent when the view was entered: votes for proposals on an older one wait.
    `by_skip` says that a skip certificate ended the view before, as far as this node knows: then it signs no finalize
    for that one, whatever certificate comes later. `entered_ms` is by this node's clock.
    """

    context: ViewContext
    entered_ms: int
    entry_view: int
    by_skip: bool
    phase: Phase = Phase.OPEN

    @property
    def view(self) -> tuple[int, int]:
        """(epoch, view)."""
        return (self.context.epoch, self.context.view)

    @property
    def timed_out(self) -> bool:
        """Whether the view's timer has fired."""
        return self.phase is Phase.TIMED_OUT

    def after(self, cause: Cause) -> ViewState:
        """The state after something happened that `TRANSITIONS` knows of in this phase."""
        following = TRANSITIONS.get((self.phase, cause))
        assert following is not None, f"{cause} while {self.phase}"
        return structs.replace(self, phase=following)

    def on(self, context: ViewContext) -> ViewState:
        """The state with newer facts about the same view."""
        assert (context.epoch, context.view) == self.view
        moved = context.parent != self.context.parent and not self.timed_out
        state = structs.replace(self, context=context)
        return state.after(Cause.PARENT_MOVED) if moved else state
