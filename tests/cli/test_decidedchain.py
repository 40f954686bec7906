"""The chain that administrators decide about: the document that the settings name, and a client of its node."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from msgspec import structs

from lucid.chain.document import print_genesis
from lucid.chain.parameters import paced
from lucid.cli.decidedchain import chain_of, config_of, genesis_of
from tests.builders import make_genesis


def test_the_chain_is_that_of_the_settings(tmp_path: Path) -> None:
    genesis = structs.replace(make_genesis(1), parameters=paced(1_000))
    (tmp_path / "genesis.toml").write_text(print_genesis(genesis))
    settings = tmp_path / "node.toml"
    settings.write_text(f'genesis = "{tmp_path}/genesis.toml"\nmanager_url = "http://127.0.0.1:1"\n')
    options = Namespace(config=settings)
    assert config_of(options).manager_url == "http://127.0.0.1:1"
    assert genesis_of(options).chain_id == genesis.chain_id
    with chain_of(options) as (found, client):
        assert found.chain_id == genesis.chain_id and client.name == ""
