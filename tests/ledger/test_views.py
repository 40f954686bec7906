"""Views that no block came in: whoever led them pays, and counting them takes no longer however many they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.errors import Code, Refusal
from lucid.poot.credits import PPM, penalized
from tests.builders import Chain, make_genesis
from tests.effort import no_hang


@settings(max_examples=60, deadline=None)
@given(
    nodes=st.integers(1, 5),
    views=st.lists(st.integers(1, 30), max_size=4),
    ahead=st.integers(1, 80),
)
def test_missed_views_are_counted_as_if_they_were_walked(nodes: int, views: list[int], ahead: int) -> None:
    """Within the parent's slot, over several, beyond the epoch's last, and on a block that opens an epoch."""
    chain = Chain(make_genesis(nodes, block_interval_ms=10_000, slot_duration_ms=40_000, epoch_slots=6))
    for step in views:
        chain.grow(view=chain.next_view - 1 + step)
    turn = chain.turn
    view = turn.parent_view + ahead
    walked = Counter(turn.leader(each) for each in range(turn.parent_view + 1, view))
    assert turn.missed(view) == dict(walked)


@given(st.integers(0, PPM), st.integers(0, PPM), st.integers(0, 200))
def test_a_penalty_is_floored_view_after_view(penalty: int, factor: int, times: int) -> None:
    walked = penalty
    for _ in range(times):
        walked = walked * factor // PPM
    assert penalized(penalty, factor, times) == walked


@pytest.mark.parametrize("signed", [False, True])
def test_a_view_out_of_this_world_costs_no_time(signed: bool) -> None:
    """Its leader may have signed it: anyone can hand such a block in to be judged."""
    chain = Chain(make_genesis(4))
    chain.grow()
    view = 2**52
    built = chain.build()
    with no_hang():
        if signed:
            chain.judge(chain.seal(chain.build(view=view)))
        else:
            with pytest.raises(Refusal) as refused:
                chain.judge(chain.resign(chain.seal(built), view=view))
            assert refused.value.code in (Code.BLOCK_LEADER, Code.BLOCK_SIGNATURE, Code.BLOCK_STATE_ROOT)
