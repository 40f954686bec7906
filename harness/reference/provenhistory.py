"""The storage proofs of a chain recounted from nothing but its blocks (protocol section 5)."""

from __future__ import annotations

from collections import Counter

from harness.reference.storage import Proven, room, worth
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import (
    RelayMandate,
    RelayReceipt,
    ReplicaHolding,
    ScheduleRules,
    SessionAnchor,
    StorageProof,
)


class ProvenHistory:
    """What the transactions of valid blocks say was proven, for a recount: nothing is judged, no row is kept."""

    def __init__(self, genesis: Genesis) -> None:
        self.parameters = genesis.parameters
        self.proofs: list[Proven] = []
        self.sizes: dict[bytes, tuple[int, int]] = {}
        self.held: dict[tuple[bytes, bytes], int] = {}
        self.opened: Counter[bytes] = Counter()
        self.relays: dict[bytes, bytes] = {}
        self.came: dict[tuple[bytes, bytes], int] = {}
        self.version = 1
        self.scheduled = (0, 0) if genesis.rules is None else (genesis.rules.version, genesis.rules.height)
        self.open(1)

    def open(self, height: int) -> None:
        """An epoch opens with a block of this height."""
        version, since = self.scheduled
        if version and height >= since:
            self.version, self.scheduled = version, (0, 0)
        self.opened = Counter(node for node, _ in self.held)

    def note(self, payload: object, slot: int, epoch: int) -> None:
        """Note a transaction of a block of this slot and epoch."""
        if isinstance(payload, SessionAnchor):
            self.sizes[payload.session + payload.owner] = payload.total_bytes, payload.chunks
        elif isinstance(payload, ScheduleRules):
            self.scheduled = payload.version, payload.height
        elif isinstance(payload, ReplicaHolding) and self.version >= 4:
            self.held.pop((payload.node, payload.session + payload.owner), None)
            if payload.ranges:
                count = sum(count for _, count in payload.ranges)
                self.held[payload.node, payload.session + payload.owner] = count
        elif isinstance(payload, StorageProof):
            session = payload.session + payload.owner
            held, times = self.held[payload.node, session], max(1, -(-self.opened[payload.node] // 32))
            shown = sum(answer.segments for answer in payload.answers)
            total_bytes, chunks = self.sizes[session]
            size = min(held * shown * 2_048, total_bytes * held // chunks)
            relay = self.relays.get(session)
            came = self.came.get((payload.node, session), 0)
            if relay == payload.node or came < 0:
                relay = None
            elif relay is not None:
                self.came[payload.node, session] = -1
            proven = Proven(
                slot=slot,
                epoch=epoch,
                node=payload.node,
                chunks=times * held,
                size=times * size,
                times=times,
                relay=relay,
                came=min(came, held),
                held=held,
            )
            self.proofs.append(proven)
        elif isinstance(payload, RelayMandate):
            self.relays[payload.session + payload.owner] = payload.relay
        elif isinstance(payload, RelayReceipt):
            self.came[payload.node, payload.session + payload.owner] = payload.chunks

    def earned(self, relays: bool = True) -> Counter[tuple[int, bytes]]:
        """Credits by slot and node; without relays as if no owner had named one."""
        found: Counter[tuple[int, bytes]] = Counter()
        chunks: Counter[tuple[int, bytes]] = Counter()
        sizes: Counter[tuple[int, bytes]] = Counter()
        relayed: Counter[tuple[int, bytes]] = Counter()
        for proof in self.proofs:
            key = proof.epoch, proof.node
            before = worth(self.parameters, chunks[key], sizes[key], relayed[key])
            chunks[key] = min(2**53, chunks[key] + proof.chunks)
            sizes[key] = min(2**53, sizes[key] + proof.size)
            gain = worth(self.parameters, chunks[key], sizes[key], relayed[key]) - before
            if proof.relay is None or not relays:
                found[proof.slot, proof.node] += gain
                continue
            share, other = gain // proof.times, (proof.epoch, proof.relay)
            found[proof.slot, proof.node] += gain - share
            most = room(self.parameters, chunks[other], sizes[other], relayed[other])
            paid = min(share * proof.came // proof.held, most)
            relayed[other] += paid
            found[proof.slot, proof.relay] += paid
        return found
