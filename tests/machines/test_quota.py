"""A quota counts for each peer and each period by itself."""

from __future__ import annotations

import pytest

from lucid.machines.quota import MINUTE_MS, SECOND_MS, Quota

PEER, OTHER = b"\x01" * 32, b"\x02" * 32


@pytest.mark.parametrize("period_ms", [SECOND_MS, MINUTE_MS])
def test_so_often_in_a_period_and_again_in_the_next(period_ms: int) -> None:
    quota = Quota(3, period_ms)
    for period in (7, 8, 6):  # a clock may be put back
        now = period * period_ms
        assert not quota.spent(now, PEER)
        assert [quota.spend(now + each, PEER) for each in range(5)] == [True, True, True, False, False]
        assert quota.spent(now + period_ms - 1, PEER)
        assert not quota.spent(now + period_ms, PEER)


def test_one_peer_spends_nothing_of_another_ones() -> None:
    quota = Quota(1, SECOND_MS)
    assert quota.spend(5, PEER) and not quota.spend(6, PEER)
    assert quota.spend(7, OTHER) and quota.spent(8, OTHER)


def test_at_the_beginning_of_all_time_nothing_is_spent() -> None:
    assert not Quota(1, SECOND_MS).spent(0, PEER)
