"""The engine: a validator's promises. `machine` keeps them; `viewstate` is where it stands in its view."""

from lucid.machines.engine.machine import Engine

__all__ = ["Engine"]
