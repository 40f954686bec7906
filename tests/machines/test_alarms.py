"""The engine's alarms: a timer that fires is due, or is set once more, or was not meant."""

from __future__ import annotations

from lucid.machines.effects import CancelTimer, SetTimer
from lucid.machines.engine.alarms import Alarms


def test_an_alarm_is_due_once() -> None:
    alarms = Alarms()
    assert alarms.arm("view", 500) == SetTimer("view", 500) and alarms.at("view") == 500
    assert alarms.fired(500, "view") is None
    assert alarms.fired(500, "view") == [] and alarms.at("view") == 0


def test_one_that_fires_early_is_set_once_more() -> None:
    """It fired before it was set anew, or the clock was put back."""
    alarms = Alarms()
    alarms.arm("view", 500)
    alarms.arm("view", 900)
    assert alarms.fired(899, "view") == [SetTimer("view", 900)]
    assert alarms.fired(900, "view") is None


def test_what_was_disarmed_comes_to_nothing() -> None:
    alarms = Alarms()
    alarms.arm("hold", 500)
    assert alarms.disarm("hold") == CancelTimer("hold")
    assert alarms.fired(600, "hold") == []
    assert alarms.disarm("propose") == CancelTimer("propose"), "set or not"


def test_all_are_silenced_in_one_order() -> None:
    alarms = Alarms()
    for timer in ("view", "hold", "resend"):
        alarms.arm(timer, 1)
    assert alarms.silence() == [CancelTimer("hold"), CancelTimer("resend"), CancelTimer("view")]
