"""The chain that a command of its administrators is for: its settings, its document, a client of one of its nodes."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lucid.api.answers import RulesState
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client
    from lucid.services.process.config import Config


def rules_of(client: Client) -> RulesState:
    """The rules and the set, as the node tells them."""
    from lucid.client import calls

    return client.send(calls.chain_rules())


def config_of(options: argparse.Namespace) -> Config:
    """The settings that `--config` names."""
    from lucid.services.process.config import load_config

    return load_config(file=options.config)


def genesis_of(options: argparse.Namespace) -> Genesis:
    """The chain's document, which the settings name."""
    from lucid.services.process.service import read_genesis

    return read_genesis(config_of(options).genesis)


@contextmanager
def chain_of(options: argparse.Namespace) -> Iterator[tuple[Genesis, Client]]:
    """The chain, and a client of one of its nodes."""
    from lucid.client.http import Client
    from lucid.services.process.service import read_genesis

    config = config_of(options)
    token = config.api_tokens[0] if config.api_tokens else config.token
    with Client("", "", token, config.trust(), config.manager_url) as client:
        yield read_genesis(config.genesis), client
