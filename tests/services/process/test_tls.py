"""TLS between a node's services and to clients, with real certificates made for the test."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from lucid.chain.document import print_genesis
from lucid.chain.ed25519 import ed25519_public_key
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.services.engine import EngineService
from lucid.services.manager import ManagerService
from lucid.services.process.config import load_config
from lucid.services.process.keyfile import write_key
from lucid.services.process.ports import free_ports
from tests.services.process.certificates import certified


async def test_an_engine_and_its_manager_talk_over_tls(tmp_path: Path) -> None:
    key = ed25519_public_key(write_key(tmp_path / "node.key"))
    (tmp_path / "genesis.toml").write_text(print_genesis(Genesis(0, (GenesisNode(key, "pi"),))))
    ports = free_ports(2)
    settings: dict[str, Any] = {
        **certified(tmp_path),
        "genesis": tmp_path / "genesis.toml",
        "key": tmp_path / "node.key",
        "data_dir": tmp_path,
        "token": "node",
        "manager_url": f"https://127.0.0.1:{ports[0]}",
    }
    services = [
        kind(load_config({}, **settings, port=port))
        for kind, port in zip((ManagerService, EngineService), ports, strict=True)
    ]
    trust = ssl.create_default_context(cafile=str(settings["tls_ca"]))
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        for service in services:
            await nursery.start(service.run, stop)
        async with httpx.AsyncClient(verify=trust) as client:
            with trio.fail_after(60):
                while not (await client.get(f"https://127.0.0.1:{ports[1]}/consensus/status")).json()["connected"]:
                    await trio.sleep(0.05)
            assert (await client.get(f"https://127.0.0.1:{ports[1]}/chain/info")).status_code == 200
        async with httpx.AsyncClient() as stranger:
            with pytest.raises(httpx.HTTPError):
                await stranger.get(f"http://127.0.0.1:{ports[1]}/health")
            with pytest.raises(httpx.ConnectError):
                await stranger.get(f"https://127.0.0.1:{ports[1]}/health")
        stop.set()
