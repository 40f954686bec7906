"""A service's health in JSON: what is empty is left out, a condition is told in full."""

from __future__ import annotations

import msgspec

from lucid.services.web.health import Condition, Health


def test_what_is_empty_is_left_out_and_a_condition_is_whole() -> None:
    assert msgspec.to_builtins(Health("healthy", "data")) == {"status": "healthy", "service": "data"}
    low = Condition("disk low", "there is no room")
    told = msgspec.to_builtins(Health("degraded", "data", (low.sentence,), (low,)))
    assert told["reasons"] == ("there is no room",)
    assert told["conditions"] == ({"state": "disk low", "sentence": "there is no room", "remedy": ""},)
