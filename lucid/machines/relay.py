"""Who passes a proposal on to whom: small ones go straight to all, large ones in two hops (protocol section 4)."""

from __future__ import annotations

from math import isqrt


def relay_targets(
    validators: tuple[bytes, ...], origin: bytes, key: bytes, size: int, push_bytes: int
) -> tuple[bytes, ...]:
    """The validators to whom `key` sends a proposal of `size` bytes by `origin`; empty up to `push_bytes`.

    The others, in order from the origin on, form about sqrt(n) groups; the origin sends to each group's first, who
    sends to the rest of its group. A node that gets none fetches the block once it is certified.
    """
    if size <= push_bytes or origin not in validators or key not in validators:
        return ()
    start = validators.index(origin)
    others = validators[start + 1 :] + validators[:start]
    length = max(1, isqrt(len(others)))
    if key == origin:
        return others[::length]
    place = others.index(key)
    return others[place + 1 : place + length] if place % length == 0 else ()
