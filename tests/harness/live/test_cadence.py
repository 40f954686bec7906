"""Whether blocks come when they should, as told of a node that answers what a test says; nothing waits for real."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.live import cadence, chain
from harness.live.cadence import BLOCKS, first_block, intervals
from smoke.finding import Severity, Verdict

EVEN = [10_000 * number for number in range(BLOCKS + 1)]


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        """See `time`."""
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        """See `time`."""
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the checks."""
    made = Clock()
    monkeypatch.setattr(cadence, "time", made)
    monkeypatch.setattr(chain, "time", made)
    return made


def trial(folder: Path, times_ms: list[int], since: int = 0, **node: Any) -> Any:
    """A node of a chain of 10 s whose blocks, from height 1 on, carry these times."""
    (folder / "genesis.toml").write_text("[parameters]\nblock_interval_ms = 10000\n")
    blocks = [{"height": at, "time_ms": time_ms} for at, time_ms in enumerate(times_ms, 1)][::-1]

    def ask(service: str, path: str) -> Any:
        one = path == "/blocks/1"
        answer: Any = blocks[-1] if one and blocks else {"blocks": blocks}
        return SimpleNamespace(status_code=404 if one and not blocks else 200, json=lambda: answer)

    asked = SimpleNamespace(folder=folder, ask=ask, **{"standing": False, "emulated": False, **node})
    return SimpleNamespace(node=asked, run=SimpleNamespace(healthy_at=1_000.0), blocks=BLOCKS, steady_since=since)


@pytest.mark.parametrize(
    ("times", "node", "passes"),
    [
        (EVEN, {}, True),
        ([at + (60 if number % 2 else 0) for number, at in enumerate(EVEN)], {}, True),
        ([at + (700 if number % 2 else 0) for number, at in enumerate(EVEN)], {}, False),
        ([at + (700 if number % 2 else 0) for number, at in enumerate(EVEN)], {"emulated": True}, True),
        ([11_000 * number for number in range(BLOCKS + 1)], {}, False),
        ([11_000 * number for number in range(BLOCKS + 1)], {"emulated": True}, True),
        ([9_000 * number for number in range(BLOCKS + 1)], {}, False),
    ],
    ids=["even", "jitter", "uneven", "uneven emulated", "slow", "slow emulated", "fast"],
)
def test_the_mean_and_the_deviation_are_held_to_bounds(
    tmp_path: Path, times: list[int], node: dict[str, Any], passes: bool
) -> None:
    [found] = intervals(trial(tmp_path, times, **node))
    assert found.verdict is (Verdict.PASS if passes else Verdict.FAIL), found.message


def test_what_came_before_the_last_failure_does_not_count(tmp_path: Path) -> None:
    broken = [0, 10_000, *(100_000 + at for at in EVEN[1:])]
    [found] = intervals(trial(tmp_path, broken))
    assert found.verdict is Verdict.FAIL and "on average" in found.message
    [found] = intervals(trial(tmp_path, broken, since=2))
    assert found.verdict is Verdict.FAIL and f"{BLOCKS} blocks came, {BLOCKS + 1} were waited for" in found.message


def test_too_few_blocks_are_waited_for_and_told(tmp_path: Path, clock: Clock) -> None:
    [found] = intervals(trial(tmp_path, EVEN[:3]))
    assert found.verdict is Verdict.FAIL and f"3 blocks came, {BLOCKS + 1} were waited for" in found.message
    assert 1_090 < clock.now < 1_092


def test_another_validators_delay_is_no_more_than_a_warning_of_a_node_in_use(tmp_path: Path) -> None:
    [found] = intervals(trial(tmp_path, [2 * at for at in EVEN], standing=True))
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.WARNING)
    assert list(first_block(trial(tmp_path, EVEN, standing=True))) == []


@pytest.mark.parametrize(("due_ms", "passes"), [(1_009_999, True), (1_010_001, False)])
def test_the_first_block_is_due_within_an_interval_of_all_being_healthy(
    tmp_path: Path, due_ms: int, passes: bool
) -> None:
    [found] = first_block(trial(tmp_path, [due_ms]))
    assert found.verdict is (Verdict.PASS if passes else Verdict.FAIL), found.message


def test_a_first_block_that_does_not_come_is_waited_for_four_intervals(tmp_path: Path, clock: Clock) -> None:
    [found] = first_block(trial(tmp_path, []))
    assert found.verdict is Verdict.FAIL and "no block came within 40 s" in found.message
    assert 1_040 <= clock.now < 1_041
