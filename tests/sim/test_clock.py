"""Virtual time: moments happen in the order of their times, then in the order in which they were put."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.clock import TAG_BITS, Moment, Recurring, VirtualClock

times = st.integers(min_value=0, max_value=30)


@given(st.lists(times, max_size=40), times)
def test_moments_happen_in_order_and_up_to_the_end_inclusive(at: list[int], until: int) -> None:
    clock = VirtualClock()
    seen: list[tuple[int, int]] = []
    for number, moment in enumerate(at):

        def happen(_: Moment, number: int = number) -> None:
            seen.append((clock.now_us, number))

        clock.after(moment, happen)
    clock.run_until(until)
    assert seen == sorted((moment, number) for number, moment in enumerate(at) if moment <= until)
    assert clock.now_us == until
    clock.run_until(30)
    assert seen == sorted((moment, number) for number, moment in enumerate(at))


@given(st.lists(st.lists(times, min_size=1, max_size=5), max_size=8))
def test_a_recurring_moment_happens_at_each_of_its_times_with_its_tag(groups: list[list[int]]) -> None:
    clock = VirtualClock()
    seen: list[tuple[int, int, int]] = []
    expected = []
    for number, group in enumerate(groups):
        codes = [at << TAG_BITS | tag for tag, at in enumerate(group)]
        expected += [(at, number, tag) for tag, at in enumerate(group)]

        def happen(moment: Any, number: int = number) -> None:
            seen.append((clock.now_us, number, moment.code & (1 << TAG_BITS) - 1))

        clock.put(Recurring(happen, sorted(codes, reverse=True)), min(group))
    clock.run_until(30)
    assert sorted(seen) == sorted(expected)
    assert [at for at, _, _ in seen] == sorted(at for at, _, _ in expected)


def test_what_happens_may_put_more_at_the_same_moment() -> None:
    clock = VirtualClock()
    seen: list[str] = []

    def first(_: Moment) -> None:
        seen.append(f"first at {clock.now_us}")
        clock.after(0, lambda _: seen.append(f"nested at {clock.now_us}"))

    clock.after(7, first)
    clock.after(7, lambda _: seen.append(f"second at {clock.now_us}"))
    clock.run_until(7)
    assert seen == ["first at 7", "second at 7", "nested at 7"]


def test_time_goes_on_without_moments_and_never_back() -> None:
    clock = VirtualClock()
    clock.run_until(50)
    assert clock.now_us == 50
    clock.run_until(20)
    assert clock.now_us == 50
