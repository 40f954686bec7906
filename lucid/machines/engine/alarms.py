"""The engine's timers: what is armed, until when, and whether one that fires was meant to."""

from __future__ import annotations

from lucid.machines.effects import CancelTimer, Effects, SetTimer


class Alarms:
    """Timers by name, each at a moment (ms since the Unix epoch, this node's clock)."""

    def __init__(self) -> None:
        self._armed: dict[str, int] = {}

    def arm(self, timer: str, at_ms: int) -> SetTimer:
        """Set a timer, anew if it was set."""
        self._armed[timer] = at_ms
        return SetTimer(timer, at_ms)

    def disarm(self, timer: str) -> CancelTimer:
        """Forget a timer, set or not."""
        self._armed.pop(timer, None)
        return CancelTimer(timer)

    def silence(self) -> Effects:
        """Forget them all."""
        return [CancelTimer(timer) for timer in sorted(self._armed)]

    def at(self, timer: str) -> int:
        """When a timer fires; 0 if it is not set."""
        return self._armed.get(timer, 0)

    def fired(self, now: int, timer: str) -> Effects | None:
        """Take a timer that fired: None if it is due, and else what is to be done in place of what waits for it."""
        at_ms = self._armed.get(timer)
        if at_ms is None:
            return []
        if now < at_ms:
            # It fired before it was set anew, and waited behind the event that did so; or the clock was put back.
            return [SetTimer(timer, at_ms)]
        del self._armed[timer]
        return None
