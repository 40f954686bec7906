"""The nodes that a command asks: the options that name them, and clients of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.chain.genesis import Genesis
    from lucid.client.http import Client


def add_node(command: argparse.ArgumentParser) -> None:
    """The options that say which nodes are asked."""
    command.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="FILE",
        help="settings: genesis, the services' urls, token or api_tokens; LUCID_* variables win; repeat it to name "
        "further nodes: lucid anchor falls back on them when one does not answer, and gives them the manifest; lucid "
        "fetch asks all at once",
    )
    command.add_argument("--json", action="store_true", help="print JSON, and no progress")


@contextmanager
def nodes(options: argparse.Namespace) -> Iterator[tuple[Genesis, list[Client]]]:
    """The chain, and a client of each node, in the order in which they are asked."""
    from lucid.client.http import Client
    from lucid.services.process.config import load_config
    from lucid.services.process.service import read_genesis

    configs = [load_config(file=file) for file in options.config or [None]]
    chains = [read_genesis(config.genesis) for config in configs]
    for file, chain in zip(options.config or (), chains, strict=False):
        if chain.chain_id != chains[0].chain_id:
            raise Failure(f"{file} is of another chain than {options.config[0]}")
    with ExitStack() as stack:
        clients = []
        for config in configs:
            token = config.api_tokens[0] if config.api_tokens else config.token
            urls = config.anchoring_url, config.data_url
            client = Client(*urls, token, config.trust(), manager_url=config.manager_url)
            clients.append(stack.enter_context(client))
        yield chains[0], clients
