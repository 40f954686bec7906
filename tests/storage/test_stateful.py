"""A store under a service against a dict: whatever is put, waited for, refused for want of room, or cut off."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from lucid.ledger.rowstore import Write
from lucid.storage import durable
from lucid.storage.durable import DurableStore
from lucid.storage.errors import StoreFull
from lucid.storage.sqlite import SqliteStore
from tests.storage.test_interface import KEYS, TABLES, WRITES, applied

WAIT_S = 20.0
NAMES = ("row", "t", "tree")


@pytest.fixture(autouse=True, scope="module")
def impatient() -> Iterator[None]:
    """A committer that finds out soon that there is room again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "RETRY_S", 0.002)
        yield


class Scarce(SqliteStore):
    """A store that has no room while `full` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.full = threading.Event()

    def write(self, writes: Sequence[Write]) -> None:
        """See `Store`."""
        if self.full.is_set():
            raise StoreFull("no room")
        super().write(writes)


class Running:
    """A `DurableStore` with its committer, in a trio thread of its own."""

    def __init__(self, path: Path) -> None:
        self.inner = Scarce(path)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,), daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    async def _main(self) -> None:
        self.store = DurableStore(self.inner)
        self._token = trio.lowlevel.current_trio_token()
        self._scope = trio.CancelScope()
        with self._scope:
            self._ready.set()
            await self.store.run()

    def put(self, writes: Sequence[Write]) -> int:
        """See `DurableStore`."""
        return trio.from_thread.run_sync(self.store.put, writes, trio_token=self._token)

    def durable(self, ticket: int) -> None:
        """See `DurableStore`."""

        async def wait() -> None:
            with trio.fail_after(WAIT_S):
                await self.store.durable(ticket)

        trio.from_thread.run(wait, trio_token=self._token)

    def cut_off(self) -> None:
        """End without a word to what is queued."""
        self._token.run_sync_soon(self._scope.cancel)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.inner.close()


class Histories(RuleBasedStateMachine):
    """`batches` is all that was put since the store was opened, on top of `before`; of it, `sure` must survive."""

    tickets: Bundle[tuple[int, int]] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.before: dict[str, dict[bytes, bytes]] = {}
        self.batches: list[list[Write]] = []
        self.sure = 0
        self.running = Running(self.folder / "store")
        self.generation = 0

    def model(self, count: int | None = None) -> dict[str, dict[bytes, bytes]]:
        """All rows after the first `count` batches."""
        rows = {table: dict(held) for table, held in self.before.items()}
        for batch in self.batches[:count]:
            applied(rows, batch)
        return {table: held for table, held in rows.items() if held}

    @rule(target=tickets, writes=WRITES)
    def put(self, writes: list[Write]) -> tuple[int, int]:
        ticket = self.running.put(writes)
        self.batches.append(writes)
        assert ticket == len(self.batches), "tickets count the batches of a process"
        return self.generation, ticket

    @precondition(lambda self: not self.running.inner.full.is_set())
    @rule(ticket=consumes(tickets))
    def wait(self, ticket: tuple[int, int]) -> None:
        generation, number = ticket
        if generation == self.generation:
            self.running.durable(number)
            self.sure = max(self.sure, number)

    @rule()
    def lose_room(self) -> None:
        self.running.inner.full.set()

    @rule()
    def find_room(self) -> None:
        self.running.inner.full.clear()

    @rule()
    def start_again(self) -> None:
        self.running.cut_off()
        self.running = Running(self.folder / "store")
        self.generation += 1
        found = {table: dict(self.running.store.scan(table)) for table in self.running.store.tables()}
        survived = [count for count in range(self.sure, len(self.batches) + 1) if self.model(count) == found]
        assert survived, "what is left is what was put up to some batch, and no less than was acknowledged"
        self.before, self.batches, self.sure = found, [], 0

    @rule(table=TABLES, start=KEYS, limit=st.none() | st.integers(0, 4), reverse=st.booleans())
    def scan(self, table: str, start: bytes, limit: int | None, reverse: bool) -> None:
        rows = sorted(self.model().get(table, {}).items(), reverse=reverse)
        kept = [row for row in rows if (not start or row[0] < start if reverse else row[0] >= start)]
        assert list(self.running.store.scan(table, start, limit, reverse)) == kept[:limit]

    @rule(table=TABLES, key=KEYS)
    def get(self, table: str, key: bytes) -> None:
        assert self.running.store.get(table, key) == self.model().get(table, {}).get(key)

    @invariant()
    def every_table_is_seen_as_it_was_put(self) -> None:
        model = self.model()
        assert self.running.store.tables() == sorted(model)
        assert all(dict(self.running.store.scan(table)) == model.get(table, {}) for table in NAMES)

    def teardown(self) -> None:
        """Everything put is durable once there is room."""
        self.running.inner.full.clear()
        self.running.durable(len(self.batches))
        assert self.running.store.trouble is None or not self.batches
        assert all(dict(self.running.inner.scan(table)) == self.model().get(table, {}) for table in NAMES)
        self.running.cut_off()
        shutil.rmtree(self.folder)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
