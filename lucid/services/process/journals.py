"""Journals of a service's machine: one file each time that it starts, without the node's secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lucid.chain.genesis import Genesis
from lucid.machines.journal import header
from lucid.machines.limits import DEFAULT_LIMITS
from lucid.services.process.driver import clock_ms
from lucid.storage.durable import DurableStore
from lucid.storage.journal import JournalWriter


@asynccontextmanager
async def open_journal(
    folder: Path | None, machine: str, genesis: Genesis, key: bytes, peers: tuple[bytes, ...], store: DurableStore
) -> AsyncIterator[JournalWriter | None]:
    """The journal of a machine that is about to start from `store`; None if there is no folder for it.

    A replay of an engine's needs the secret, which its owner hands over beside it.
    """
    if folder is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    head = await store.read_when_there(header, machine, "real", genesis, key, b"", peers, DEFAULT_LIMITS, store)
    writer = JournalWriter(folder / f"{key.hex()[:8]}-{machine}-{clock_ms()}.journal", head)
    try:
        yield writer
    finally:
        writer.close()
