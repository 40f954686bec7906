"""A driver that leaves out an effect, or names one twice, does not start."""

from __future__ import annotations

import pytest

from lucid.machines.effects import Broadcast, Observe, Send, Started, Store
from lucid.machines.performing import KINDS, complete


def test_all_that_there_are_make_a_driver() -> None:
    performers = dict.fromkeys(KINDS[2:], print)
    made = complete(performers, KINDS[:2])
    assert made == performers and made is not performers


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_one_that_lacks_any_effect_does_not_start(kind: type) -> None:
    performers = {each: print for each in KINDS if each is not kind}
    with pytest.raises(TypeError, match=f"^a driver has no performer for {kind.__name__}$"):
        complete(performers, ())


def test_nor_one_that_names_an_effect_twice() -> None:
    with pytest.raises(TypeError, match=r"performs what it leaves to others: Send, Broadcast"):
        complete(dict.fromkeys(KINDS, print), (Broadcast, Send))


def test_nor_one_that_performs_something_else() -> None:
    rest = [kind for kind in KINDS if kind not in (Observe, Store)]
    with pytest.raises(TypeError, match=r"performs what is no effect: Started"):
        complete({Observe: print, Started: print}, (*rest, Store))
