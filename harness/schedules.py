"""The schedules that a scenario can name, and how a run is led by one of them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from harness.policy import LeaderPolicy, led_by
from harness.weighted import weighted

SCHEDULES: dict[str, LeaderPolicy | None] = {"ranked": None, "weighted": weighted}
"""What orders the leaders of a slot, by `schedule` of a scenario; None is the protocol itself."""


def led_as(schedule: str, policy: LeaderPolicy | None = None) -> AbstractContextManager[None]:
    """Have a run led by the schedule that its scenario names, or by a policy that a program gives instead."""
    chosen = SCHEDULES[schedule] if policy is None else policy
    return nullcontext() if chosen is None else led_by(chosen)
