"""A chain whose nodes take snapshots, and a node that joins it late."""

from __future__ import annotations

from functools import cache

from lucid.chain.codec import decode
from lucid.machines.limits import Limits
from lucid.machines.manager.snapshotrows import INDEX_KEY, SNAPSHOT_TABLE, Index, Rows
from lucid.machines.messages import (
    BlocksRequest,
    SnapshotOffer,
    Standing,
)
from tests.machines.fleets import Fleet
from tests.machines.peers import Peer, tiny_genesis

GENESIS = tiny_genesis()
EVERY = 8
SERVER = 1
NEAR = Limits(snapshot_blocks=EVERY, snapshot_gap=4)
"""A snapshot is offered to who is four blocks behind it."""


@cache
def history() -> Fleet:
    """Half a minute and more of a chain that admits a fifth node in its second epoch."""
    fleet = Fleet(GENESIS, limits=NEAR).start()
    for number in range(36):
        fleet.submit(number % 4, fleet.signer.anchor(number))
        if number == 12:
            fleet.submit(0, fleet.signer.register(4, 0))
        fleet.run(1_000)
    return fleet


def server() -> Peer:
    """A node that holds the history."""
    return history().peer(SERVER)


def joiner() -> Peer:
    """A node that holds nothing and has just heard of the server's height."""
    peer = Peer(GENESIS, limits=NEAR)
    peer.hear(Standing(4, 1, server().manager.chain.tree.root.height, (), None), SERVER)
    return peer


def offered() -> tuple[Peer, Peer, SnapshotOffer]:
    """Server, joiner, and the offer that the joiner is to hear."""
    serving, joining = server(), joiner()
    number, request = joining.asked()
    assert number == SERVER and isinstance(request, BlocksRequest)
    offer = serving.answer(request)
    assert isinstance(offer, SnapshotOffer)
    return serving, joining, offer


def rows_of(peer: Peer) -> list[tuple[bytes, bytes]]:
    """The rows in the parts of the snapshot that a store holds, in order."""
    index = decode(peer.store.get(SNAPSHOT_TABLE, INDEX_KEY) or b"", Index)
    parts = [data for key, data in peer.store.scan(SNAPSHOT_TABLE) if key != INDEX_KEY]
    assert len(parts) == index.parts, "no others are kept"
    return sorted(row for data in parts for row in decode(data, Rows))


def snapshot_height(serving: Peer) -> int:
    """Height of the snapshot that a server keeps."""
    index = serving.manager.snapshots.index
    assert index is not None
    return index.height
