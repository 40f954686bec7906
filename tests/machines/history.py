"""A chain of four epochs that a test may catch up with, and nodes that are behind it."""

from __future__ import annotations

from functools import cache
from typing import Any

from lucid.machines.decodedmessages import decode_message
from lucid.machines.effects import Send
from lucid.machines.messages import BlocksRequest, Standing
from tests.machines.fleets import Fleet
from tests.machines.peers import Peer, facts, key_of, tiny_genesis

GENESIS = tiny_genesis()
SERVER = 1


@cache
def history() -> Fleet:
    """A chain of four epochs that admits a fifth node; one node is down for a while, so that views are skipped."""
    fleet = Fleet(GENESIS).start()
    for number in range(36):
        fleet.submit(number % 2, fleet.signer.anchor(number))
        if number == 3:
            fleet.submit(0, fleet.signer.register(4, 0))
        if number == 20:
            fleet.sites[3].stop()
        if number == 24:
            fleet.sites[3].start()
        fleet.run(1_000)
    return fleet


def server(number: int = SERVER) -> Peer:
    """A node that holds the history."""
    return history().peer(number)


def standing(peer: Peer) -> Standing:
    """What a node says of where it is."""
    tree = peer.manager.chain.tree
    return Standing(tree.epoch, tree.entry_view + 1, tree.root.height, (), tree.entry)


def behind(number: int = 0, claim: int = SERVER, **options: Any) -> Peer:
    """A node that lost everything and has just heard of the server's height from "node N"."""
    peer = Peer(GENESIS, number, **options)
    peer.hear(standing(server()), claim)
    return peer


def level(peer: Peer, other: Peer) -> bool:
    """Whether a node is where the other is, after it heard where that is."""
    peer.hear(standing(other), SERVER)
    one, two = facts(peer.manager), facts(other.manager)
    # Which certificates each happens to keep of views that are over may differ.
    del one["certificates"], two["certificates"], one["nodes"], two["nodes"]
    return one == two and peer.manager.chain.context() == other.manager.chain.context()


def questions(peer: Peer) -> list[int]:
    """Whom a node asked for blocks so far, in order."""
    asked = []
    for step in peer.steps:
        for effect in step.effects:
            if isinstance(effect, Send) and isinstance(decode_message(effect.data), BlocksRequest):
                asked.append(next(number for number in range(64) if key_of(number) == effect.peer))
    return asked
