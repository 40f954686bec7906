"""An error goes through pickle as what it is, whatever its constructor takes (`tests/test_pickled.py`: all of them)."""

from __future__ import annotations

import pickle

from lucid.chain.reducederror import Reduced, reduced


class OddError(Exception):
    """Made of something that is nowhere in it afterwards."""

    made = 0

    def __init__(self, left: int, right: int) -> None:
        super().__init__(f"{left} is not {right}")
        self.apart = abs(left - right)
        OddError.made += 1

    def __reduce__(self) -> Reduced:
        return reduced(self)


def test_it_comes_out_as_it_went_in_and_is_not_made_again() -> None:
    error = OddError(3, 5)
    made = OddError.made
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is OddError and str(found) == "3 is not 5" and found.apart == 2
    assert OddError.made == made
