"""A signal is a wish to stop, and so is each that follows."""

from __future__ import annotations

import os
import signal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lucid.services.process.stopsignal import stop_at_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_a_wish_to_stop(number: signal.Signals) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(stop_at_signal, stop)
        for _ in range(2):
            os.kill(os.getpid(), number)
            with trio.fail_after(60):
                await stop.wait()
            # The second one finds the event set: until it is taken, trio would raise it again where listening ends.
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
