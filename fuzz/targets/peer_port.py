"""The port for other nodes of a real node, from outside: strangers, and peers that have gone bad."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

import httpx
import trio

from fuzz.hostile import Hostile, framed, key_below, misbehave
from fuzz.node import attacked, check
from fuzz.targets import Attempt
from lucid.services.devnet import Devnet
from lucid.services.devnode import DevNode
from lucid.services.peer.addresses import Address
from lucid.services.peer.dialing import ConnectionLost, dial
from lucid.services.peer.frames import FrameStream
from lucid.services.peer.handshake import FRAME_BYTES, introduce

PEERS = 3
CHECK_EVERY = 20


@contextmanager
def target() -> Iterator[Attempt]:
    """A node that has configured some peers, all of them hostile."""
    peers: list[Hostile] = []

    def prepare(network: Devnet) -> None:
        node = network.nodes[0]
        peers.extend(dialers(network))
        configure_peers(node, {each.key: "tcp://127.0.0.1:1" for each in peers})

    with attacked(settles=True, prepare=prepare) as node:
        yield against(node, peers)
        check_peers(node)


def dialers(network: Devnet) -> list[Hostile]:
    """Hostile nodes that dial the network's first."""
    return [Hostile(network.genesis.chain_id, key_below(network.nodes[0].key)) for _ in range(PEERS)]


def configure_peers(node: DevNode, peers: dict[bytes, str]) -> None:
    """Let a node that has not started know peers, by key and address."""
    named = ", ".join(f'"{key.hex()}@{address}"' for key, address in peers.items())
    path = node.folder / "node.toml"
    path.write_text(path.read_text().replace("peers = []", f"peers = [{named}]"))


def check_peers(node: DevNode) -> None:
    """Nothing that a peer did was unforeseen."""
    figures = httpx.get(f"{node.url('manager')}/metrics", trust_env=False).text
    assert "lucid_peers_failed 0.0" in figures, node.last_words("manager")


def against(node: DevNode, peers: list[Hostile]) -> Attempt:
    """Every case is one connection, of a peer or a stranger."""
    stranger = Hostile(peers[0].chain, key_below(node.key))
    address = Address("127.0.0.1", node.peer_port, False)
    done = 0

    async def case(random: Random) -> None:
        who = random.choice(peers)
        with suppress(ConnectionLost, trio.BrokenResourceError, trio.ClosedResourceError):
            stream = await dial(address)
            frames = FrameStream(stream, FRAME_BYTES)
            try:
                if random.random() < 0.5:
                    junk = random.randbytes(random.choice([0, 1, 4, 200, 5_000, 200_000]))
                    hello = random.choice([who, stranger, stranger]).hello(random, node.key)
                    await stream.send_all(random.choice([framed(random, hello), junk]))
                    with trio.move_on_after(0.02):
                        said = await stream.receive_some()
                        assert not said or who.key in hello, "a stranger was answered"
                else:
                    sealed = await introduce(frames, who.transport, node.key, who.acquaintances(node.key))
                    await misbehave(random, sealed, frames)
            finally:
                await frames.close()

    def attempt(random: Random) -> None:
        nonlocal done
        done += 1
        trio.run(case, random)
        status = node.processes["manager"].poll()
        assert status is None, f"the manager ended with status {status}: {node.last_words('manager')}"
        if done % CHECK_EVERY == 0:
            check(node, "manager")

    return attempt
