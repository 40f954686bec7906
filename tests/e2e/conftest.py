"""Networks of real processes under rules that a genesis document names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lucid.chain.parameters import Parameters
from lucid.services.devnet import Devnet

MakeFleet = Callable[..., Devnet]


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[MakeFleet]:
    """Start three nodes, a block every second, under rules of a version and with a setting beside their own."""
    with ExitStack() as stack:

        def make(version: int, parameters: Parameters | None = None, setting: str = "") -> Devnet:
            made = Devnet(tmp_path / "fleet", 3, 1_000, parameters=parameters, rules=version)
            for node in made.nodes:
                path = node.folder / "node.toml"
                path.write_text(f"{path.read_text(encoding='utf-8')}{setting}\n", encoding="utf-8")
            network = stack.enter_context(made)
            network.await_healthy()
            return network

        yield make
