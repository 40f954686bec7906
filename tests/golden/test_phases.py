"""The drawing of an engine's phases in `docs/protocol.md` is that of the table which the engine goes by.

`pytest tests/golden/test_phases.py --rewrite-golden` draws it anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from lucid.machines.effects import ViewContext
from lucid.machines.engine.viewstate import TRANSITIONS, Cause, Phase, ViewState

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol.md"
BEGIN = "<!-- drawn from lucid/machines/engine/viewstate.py by tests/golden/test_phases.py -->\n"
END = "<!-- end of the drawing -->\n"
CONTEXT = ViewContext(
    epoch=0,
    view=5,
    entry=None,
    parent=bytes(32),
    parent_view=4,
    parent_height=4,
    parent_tick=4,
    beacon=bytes(32),
    leader=bytes(32),
    validators=(bytes(32),),
    closing=False,
    ready=True,
    skipped=False,
)


def state(phase: Phase) -> ViewState:
    """An engine's state in that phase."""
    return ViewState(context=CONTEXT, entered_ms=1, entry_view=4, by_skip=False, phase=phase)


def drawn() -> str:
    """The phases, an arrow a line."""
    arrows = [("any", "the next view is entered", Phase.OPEN)]
    arrows += [(before, cause, after) for (before, cause), after in TRANSITIONS.items()]
    lines = [f"{before:<10} --- {cause} {'-' * (42 - len(cause))}> {after}\n" for before, cause, after in arrows]
    return "```text\n" + "".join(lines) + "```\n"


def test_the_protocol_draws_the_table(request: pytest.FixtureRequest) -> None:
    text = PROTOCOL.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    now = before + BEGIN + drawn() + END + after
    if request.config.getoption("--rewrite-golden"):
        PROTOCOL.write_text(now, "utf-8")
        return
    assert text == now, "run `pytest tests/golden/test_phases.py --rewrite-golden` and read the diff"


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("cause", Cause)
def test_only_what_the_table_has_can_happen(phase: Phase, cause: Cause) -> None:
    if (phase, cause) in TRANSITIONS:
        assert state(phase).after(cause) == state(TRANSITIONS[phase, cause])
    else:
        with pytest.raises(AssertionError, match=str(phase)):
            state(phase).after(cause)


@pytest.mark.parametrize("phase", Phase)
def test_newer_facts_move_the_parent_only_while_a_proposal_can_come(phase: Phase) -> None:
    later = structs.replace(CONTEXT, parent=b"\x01" * 32, parent_view=4)
    expected = Phase.TIMED_OUT if phase is Phase.TIMED_OUT else Phase.OPEN
    assert state(phase).on(later) == structs.replace(state(expected), context=later)
    assert state(phase).on(CONTEXT) == state(phase)


def test_a_view_never_takes_facts_about_another() -> None:
    with pytest.raises(AssertionError):
        state(Phase.OPEN).on(structs.replace(CONTEXT, view=6))
