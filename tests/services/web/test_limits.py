"""Rates: a burst and then so many a second, for each caller, alone or shared by instances."""

from __future__ import annotations

import math

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.live.dependencies import RedisDependency as RedisServer
from lucid.services.web import limits
from lucid.services.web.limits import BURST_S, RateLimits, SharedLimits
from tests.services.redisclients import SECRET, client_of
from tests.services.web.served import served, web


def test_a_caller_has_a_burst_and_then_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("lucid.services.web.limits.time.monotonic", lambda: now)
    rates = RateLimits(10)
    assert [rates.take("a") for _ in range(10 * BURST_S + 1)].count(True) == 10 * BURST_S
    assert rates.take("b")
    now += 0.5
    assert [rates.take("a") for _ in range(6)] == [True] * 5 + [False]
    now += 3_600
    assert [rates.take("a") for _ in range(10 * BURST_S + 1)].count(True) == 10 * BURST_S


def test_callers_are_forgotten_so_that_they_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 100)
    rates = RateLimits(10)
    for number in range(1_000):
        assert rates.take(str(number))
        assert len(rates._buckets) <= 100


async def test_two_instances_share_one_rate(redis_server: RedisServer) -> None:
    kits = [web(rate=5) for _ in range(2)]
    async with client_of(redis_server) as redis:
        for kit in kits:
            kit.admission.shared = SharedLimits(redis, kit.service, 5, SECRET)
        async with served(kits[0]) as (one, _), served(kits[1]) as (other, _):
            began = trio.current_time()
            statuses = [(await client.get("/health")).status_code for _ in range(10) for client in (one, other)]
            refilled = 5 * math.ceil(trio.current_time() - began)
        assert 5 * BURST_S <= statuses.count(200) <= 5 * BURST_S + refilled
        assert 429 in statuses or refilled >= 10
        keys = await redis.call("KEYS", "*")
        assert all(b"127.0.0.1" not in key for key in keys)


async def test_rates_hold_while_redis_is_away(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        limits = SharedLimits(redis, "service", 5, SECRET)
        redis_server.stop()
        began = trio.current_time()
        taken = [await limits.take("caller") for _ in range(20)]
        assert 5 * BURST_S <= taken.count(True) <= 5 * (BURST_S + math.ceil(trio.current_time() - began))


async def test_a_rate_refills(redis_server: RedisServer) -> None:
    async with client_of(redis_server) as redis:
        limits = SharedLimits(redis, "service", 2, SECRET)
        taken = [await limits.take("caller") for _ in range(40)]
        assert not taken[-1]
        await trio.sleep(1)
        assert await limits.take("caller")
        assert await limits.take("other")


@settings(max_examples=50)
@given(st.integers(1, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_caller_gets_more_than_its_burst_and_its_rate(per_second: int, pauses: list[float]) -> None:
    now, took = 1_000.0, 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lucid.services.web.limits.time.monotonic", lambda: now)
        rates = RateLimits(per_second)
        assert rates.take("other")
        for pause in pauses:
            now += pause
            took += sum(rates.take("caller") for _ in range(per_second))
            assert took <= per_second * (BURST_S + now - 1_000.0) + 1e-6
        assert took >= min(per_second * len(pauses), per_second * BURST_S), "and the burst is always there"


def test_one_who_has_used_up_its_rate_is_not_forgotten_for_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a flood of made-up callers would give the one behind them its burst again."""
    now = 1_000.0
    monkeypatch.setattr("lucid.services.web.limits.time.monotonic", lambda: now)
    monkeypatch.setattr(limits, "MAX_CALLERS", 10)
    rates = RateLimits(5)
    for number in range(9):
        rates.take(str(number))
    now += BURST_S + 1
    assert [rates.take("greedy") for _ in range(20)].count(True) == 5 * BURST_S
    rates.take("one more")
    assert list(rates._buckets) == ["greedy", "one more"] and not rates.take("greedy")
