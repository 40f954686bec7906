"""The trio driver: effects in order, each after the writes before it, and timers that follow the clock."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from lucid.chain.errors import Code, Refusal
from lucid.ledger.rowstore import RowLost
from lucid.machines.effects import CancelTimer, Effects, Observe, Send, SetTimer, Started, Store, TimedOut, TimerFired
from lucid.services.process import driver as driver_module
from lucid.services.process.driver import Driver, clock_ms
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreDamaged
from tests.storage.gate import Gate
from tests.waiting import until


class Machine:
    """Answers each event by what it was told to."""

    def __init__(self, answer: Callable[[Any], Effects]) -> None:
        self.answer = answer
        self.events: list[Any] = []
        self.threads: set[int] = set()

    def handle(self, now: int, event: Any) -> Effects:
        """See `Machine`."""
        self.events.append(event)
        self.threads.add(threading.get_ident())
        return self.answer(event)


def store(key: bytes) -> Store:
    """A write."""
    return Store((("row", key, b"x"),))


@asynccontextmanager
async def running(machine: Machine, path: Path) -> AsyncIterator[tuple[Driver, Gate, list[Any]]]:
    """A driver that has started, its store, shut, and what it sent."""
    gate, sent = Gate(path / "store"), list[Any]()
    durable = DurableStore(gate)
    async with trio.open_nursery() as nursery:
        await nursery.start(durable.run)
        driver = Driver(machine, durable, {Send: sent.append, Observe: sent.append})
        await nursery.start(driver.run, Started())
        yield driver, gate, sent
        gate.open.set()
        nursery.cancel_scope.cancel()
    gate.close()


async def test_nothing_leaves_before_the_write_that_stands_before_it(tmp_path: Path) -> None:
    first, second = Send(b"p", b"1"), Send(b"p", b"2")
    machine = Machine(lambda event: [first, store(b"a"), second] if event == "go" else [])
    async with running(machine, tmp_path) as (driver, gate, sent):
        await driver.deliver("go")
        await trio.sleep(0.1)
        assert sent == [first]
        assert await driver.store.read(driver.store.get, "row", b"a") == b"x", "the machine reads what it wrote"
        gate.open.set()
        await until(lambda: sent == [first, second])
        assert gate.get("row", b"a") == b"x"


async def test_events_go_on_while_a_write_is_on_its_way_and_their_writes_share_the_next_commit(tmp_path: Path) -> None:
    machine = Machine(lambda event: [store(event), Send(b"p", event)] if isinstance(event, bytes) else [])
    async with running(machine, tmp_path) as (driver, gate, sent):
        keys = [bytes([number]) for number in range(20)]
        for key in keys:
            await driver.deliver(key)
        await until(lambda: machine.events[1:] == keys)
        assert not sent
        gate.open.set()
        await until(lambda: [effect.data for effect in sent] == keys)
        assert gate.batches == [1, 19]


async def test_what_a_machine_raises_ends_the_service(tmp_path: Path) -> None:
    def answer(event: Any) -> Effects:
        raise AssertionError("never")

    with pytest.raises(ExceptionGroup) as caught:
        async with running(Machine(answer), tmp_path):
            pass
    assert caught.group_contains(AssertionError, match="never")


async def test_a_timer_fires_once_is_replaced_and_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "CLOCK_CHECK_S", 0.02)
    now = clock_ms()
    monkeypatch.setattr(driver_module, "clock_ms", lambda: now)
    answers: dict[Any, Effects] = {
        "set": [SetTimer("a", now + 10_000), SetTimer("a", now), SetTimer("b", now + 50), SetTimer("c", now + 50)],
        "cancel": [CancelTimer("b"), CancelTimer("nobody's")],
    }
    machine = Machine(lambda event: answers.get(event, []))
    async with running(machine, tmp_path) as (driver, _, _):
        await driver.deliver("set")
        await driver.deliver("cancel")
        await until(lambda: "cancel" in machine.events)
        monkeypatch.setattr(driver_module, "clock_ms", lambda: now + 50)
        await until(lambda: TimerFired("c") in machine.events)
        await trio.sleep(0.05)
        fired = [event for event in machine.events if isinstance(event, TimerFired)]
        assert fired == [TimerFired("a"), TimerFired("c")]


async def test_a_timer_follows_a_clock_that_is_put_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "CLOCK_CHECK_S", 0.02)
    now = clock_ms()
    monkeypatch.setattr(driver_module, "clock_ms", lambda: now)
    machine = Machine(lambda event: [SetTimer("a", now + 3_600_000)] if event == "set" else [])
    async with running(machine, tmp_path) as (driver, _, _):
        await driver.deliver("set")
        await trio.sleep(0.1)
        assert TimerFired("a") not in machine.events
        monkeypatch.setattr(driver_module, "clock_ms", lambda: now + 3_600_000)
        await until(lambda: TimerFired("a") in machine.events)


async def test_a_machine_steps_in_a_thread_of_its_own_and_is_looked_into_between_steps(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def answer(event: Any) -> Effects:
        if event == "slow":
            entered.set()
            assert leave.wait(10)
            return [Observe(TimedOut(0, 1))]
        return []

    machine = Machine(answer)
    async with running(machine, tmp_path) as (driver, _, sent):
        await driver.deliver("slow")
        await until(entered.is_set)
        seen: list[int] = []
        async with trio.open_nursery() as nursery:

            async def look() -> None:
                seen.append(await driver.inspect(lambda: len(machine.events)))

            nursery.start_soon(look)
            await trio.sleep(0.05)
            assert not seen, "the machine is in a step"
            leave.set()
        assert seen == [2] and threading.get_ident() not in machine.threads
        await until(lambda: len(sent) == 1)


@pytest.mark.parametrize(
    ("met", "says"),
    [
        (RowLost("tree", b"\xab"), "the store is damaged in the table tree at the key ab"),
        (Refusal(Code.MALFORMED, "truncated"), "the store is damaged"),
    ],
)
async def test_rows_that_are_gone_or_mean_nothing_stop_the_machine_and_not_the_service(
    tmp_path: Path, met: Exception, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The database can read each page of them: that something is wrong with them is seen by who uses them."""

    def answer(event: Any) -> Effects:
        if event == "go":
            raise met
        return []

    async with running(Machine(answer), tmp_path) as (driver, _, _):
        await driver.deliver("go")
        await until(lambda: driver.stopped is not None)
        assert driver.store.damage is not None and driver.store.damage.sentence == says
        with pytest.raises(StoreDamaged):
            await driver.inspect(lambda: None)
    assert sum(says in message for message in caplog.messages) == 1, "said once"


async def test_a_refusal_that_tells_of_no_bytes_is_no_damage(tmp_path: Path) -> None:
    async with running(Machine(lambda _: []), tmp_path) as (driver, _, _):
        with pytest.raises(Refusal):
            await driver.store.read_when_there(_refuse)
        assert driver.store.damage is None


def _refuse() -> None:
    raise Refusal(Code.TX_EXPIRED)
