"""Journals of a service's machine: one file each time that it starts, without the node's secret."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from lucid.chain.genesis import Genesis
from lucid.machines.journal import header
from lucid.machines.limits import DEFAULT_LIMITS
from lucid.services.process.config import ConfigError
from lucid.services.process.driver import clock_ms
from lucid.services.process.space import NO_ROOM
from lucid.storage.durable import DurableStore
from lucid.storage.journal import JournalWriter

_log = logging.getLogger("lucid.journal")


@asynccontextmanager
async def open_journal(
    folder: Path | None, machine: str, genesis: Genesis, key: bytes, peers: tuple[bytes, ...], store: DurableStore
) -> AsyncIterator[JournalWriter | None]:
    """The journal of a machine that is about to start from `store`; None if there is no folder for it, or no room.
    Raises `ConfigError` for a folder that cannot be used.

    A replay of an engine's needs the secret, which its owner hands over beside it.
    """
    if folder is None:
        yield None
        return
    begins = partial(
        header,
        machine=machine,
        crypto="real",
        genesis=genesis,
        key=key,
        secret=b"",
        peers=peers,
        limits=DEFAULT_LIMITS,
        store=store,
    )
    head = await store.read_when_there(begins)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writer = JournalWriter(folder / f"{key.hex()[:8]}-{machine}-{clock_ms()}.journal", head)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise ConfigError(f"journal: {folder}: {error.strerror}") from None
        _log.warning("no journal is kept of this start: there is no room for one")
        yield None
        return
    try:
        yield writer
    finally:
        with suppress(OSError):  # it is cut short, where there is no room for its end
            writer.close()
