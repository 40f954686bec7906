"""The data chain that a command asks: how it is reached, and its chunks as options name and pages list them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from lucid.api.answers import ChunkState
    from lucid.client.http import Client


LOST = 20
"""Chunks are missing or corrupted."""


PAGE = 500


CONFIG_HELP = "settings: data_url, operator_token or token; LUCID_* variables win"


FAULTS = ("missing", "corrupted")


def moment(ms: int) -> str:
    """A time of the node, as people read it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else "it began (no round is over)"


def chunks_of(client: Client, status: str, session: UUID | str) -> Iterator[ChunkState]:
    """The chunks of a node, page by page: of a status, or of a session, if one is given."""
    from lucid.client import calls, paging

    return paging.listed(
        client, lambda after: calls.held_chunks(after, PAGE, status, session), lambda page: page.chunks
    )


@contextmanager
def data_chain(options: argparse.Namespace) -> Iterator[Client]:
    """A client of the node's data chain, with the operator's token."""
    from pathlib import Path

    from lucid.client.http import Client
    from lucid.services.process.config import load_config

    config = load_config(file=None if options.config is None else Path(options.config))
    token = config.operator_token or config.token
    with Client(config.anchoring_url, config.data_url, token, config.trust()) as client:
        yield client


def plain(value: Any) -> Any:
    """A struct as JSON has it."""
    import msgspec

    return msgspec.to_builtins(value)


def session_id(text: str) -> UUID:
    """The value of an option that names a session."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a session id") from None


def chunk_id(text: str) -> str:
    """The value of an argument that names a chunk."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a chunk id: 64 hexadecimal digits")
    return text.lower()
