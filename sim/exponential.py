"""Times between what happens by chance and independently, drawn in integers."""

from __future__ import annotations

from random import Random

_FRACTION_BITS = 32


def exponential_us(random: Random, mean_us: int) -> int:
    """An exponentially distributed time of at least 1 microsecond, in integers, so that every machine draws the same.

    Von Neumann's method (1951): the parity of the length of a descending run of uniform draws decides whether the first
    of them is the fraction, and each run that fails adds one to the whole part.
    """
    whole = 0
    while True:
        first = least = random.getrandbits(_FRACTION_BITS)
        length = 1
        while (draw := random.getrandbits(_FRACTION_BITS)) < least:
            least = draw
            length += 1
        if length % 2:
            return max(1, ((whole << _FRACTION_BITS) + first) * mean_us >> _FRACTION_BITS)
        whole += 1
