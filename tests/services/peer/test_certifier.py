"""Certificates that an engine signs for its manager: each replaces all before it, whatever the clock says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio

from lucid.chain.errors import Refusal
from lucid.services.peer.certifier import KEY, TABLE, Certifier
from lucid.services.peer.transport import TransportCertificate, holds
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
from tests.services.peer.acquainted import CHAIN, CRYPTO, KEYS, SECRETS
from tests.storage.gate import Gate
from tests.waiting import until


@asynccontextmanager
async def certifying(sqlite: SqliteStore) -> AsyncIterator[Certifier]:
    """A certifier of node 0 over a store that runs."""
    with closing(sqlite):
        store = DurableStore(sqlite)
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            yield Certifier(CRYPTO, SECRETS[0], CHAIN, store)
            store.end()
            nursery.cancel_scope.cancel()


async def test_a_certificate_is_of_this_node_and_chain_and_vouches_for_the_key_that_was_named(tmp_path: Path) -> None:
    async with certifying(SqliteStore(tmp_path / "engine.sqlite")) as certifier:
        given = await certifier.certify(KEYS[2], 1_000)
    assert (given.chain, given.node, given.transport) == (CHAIN, KEYS[0], KEYS[2])
    assert holds(CRYPTO, given)


async def test_each_replaces_all_before_it_whatever_the_clock_says_and_after_a_crash(tmp_path: Path) -> None:
    given = []
    for clock_ms in (5_000, 5_000, 10, 9_000):
        async with certifying(SqliteStore(tmp_path / "engine.sqlite")) as certifier:
            given.append((await certifier.certify(KEYS[2], clock_ms)).sequence)
    assert given == [5_000, 5_001, 5_002, 9_000]


async def test_two_at_once_get_different_sequences(tmp_path: Path) -> None:
    """Of two with one sequence peers would take the first alone: the other is no newer."""
    given: list[TransportCertificate] = []
    async with certifying(SqliteStore(tmp_path / "engine.sqlite")) as certifier:

        async def certify(transport: bytes) -> None:
            given.append(await certifier.certify(transport, 1_000))

        async with trio.open_nursery() as nursery:
            for key in KEYS[1:]:
                nursery.start_soon(certify, key)
    assert sorted(each.sequence for each in given) == [1_000, 1_001, 1_002]
    assert {each.transport for each in given} == set(KEYS[1:])


async def test_none_leaves_before_its_sequence_is_durable(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "engine.sqlite")
    given: list[TransportCertificate] = []
    async with certifying(gate) as certifier, trio.open_nursery() as nursery:

        async def certify() -> None:
            given.append(await certifier.certify(KEYS[2], 7))

        nursery.start_soon(certify)
        await until(lambda: certifier._store._queue)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert not given
        gate.open.set()
        await until(lambda: given)


async def test_one_that_is_cut_off_does_not_hold_up_the_next(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "engine.sqlite")
    async with certifying(gate) as certifier:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(certifier.certify, KEYS[2], 7)
            await until(lambda: certifier._store._queue)
            nursery.cancel_scope.cancel()
        gate.open.set()
        with trio.fail_after(60):
            assert (await certifier.certify(KEYS[2], 7)).sequence == 8, "the one before may have been written"


async def test_a_sequence_that_is_damaged_is_never_taken_for_none(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "engine.sqlite")) as sqlite:
        sqlite.write([(TABLE, KEY, b"\xc1")])
    async with certifying(SqliteStore(tmp_path / "engine.sqlite")) as certifier:
        with pytest.raises(Refusal):
            await certifier.certify(KEYS[2], 1_000)
