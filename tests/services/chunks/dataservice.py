"""The data chain's service over a folder, with a client, for the tests of this room."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from lucid.chain.chunks import chunk_id
from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.data import DataService
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import read_key, write_key

SESSION, OTHER = (str(uuid.UUID(int=number, version=4)) for number in (1, 2))
CHUNK = bytes(range(256)) * 50
SESSIONS = [str(uuid.UUID(int=number, version=4)) for number in range(1, 6)]
OWNERS = ["aa" * 32, "bb" * 32]


@asynccontextmanager
async def running(folder: Path, **given: Any) -> AsyncIterator[tuple[DataService, httpx.AsyncClient]]:
    """The service over a folder, and a client."""
    if not (folder / "node.key").exists():
        key = ed25519_public_key(write_key(folder / "node.key"))
        (folder / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    assert read_key(folder / "node.key")
    config = load_config({}, genesis=folder / "genesis.toml", key=folder / "node.key", data_dir=folder, **given)
    service = DataService(config)
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(service.run, stop)
        service.replication.asked = True  # as if a manager had said that there is no other node
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as client:
            yield service, client
        stop.set()


def place(data: bytes, session: str = SESSION) -> str:
    """Where a chunk is put."""
    return f"/chunks/{chunk_id(data).hex()}?session={session}"


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[tuple[DataService, httpx.AsyncClient]]:
    """The service with two API tokens, and an operator's."""
    async with running(folder):
        pass
    config = load_config(
        {},
        genesis=folder / "genesis.toml",
        key=folder / "node.key",
        data_dir=folder,
        api_tokens=["one-token", "two-token"],
        operator_token="operator-token",
    )
    service, stop = DataService(config), trio.Event()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(service.run, stop)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as client:
            yield service, client
        stop.set()


def content(number: int) -> bytes:
    """A chunk's bytes."""
    return bytes([number]) * 2_000


async def put(client: httpx.AsyncClient, number: int, session: str, owner: str = "", token: str = "") -> None:
    """Store a chunk for a session."""
    query = f"?session={session}" + (f"&owner={owner}" if owner else "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    place = f"/chunks/{chunk_id(content(number)).hex()}{query}"
    assert (await client.put(place, content=content(number), headers=headers)).status_code in (200, 201)


async def fill(client: httpx.AsyncClient, bodies: Iterable[bytes]) -> None:
    """Store chunks for a session."""
    for data in bodies:
        assert (await client.put(place(data), content=data)).status_code == 201
