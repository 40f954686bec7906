"""Stories from journals, of real nodes or of simulated ones: machines replayed, and what they observed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from harness.timeline.story import STARTS, VOTES, Story
from lucid.chain.codec import Record, decode
from lucid.chain.errors import Refusal
from lucid.chain.genesis import Genesis
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import (
    Broadcast,
    BroadcastVote,
    EngineEvent,
    Fact,
    ManagerEvent,
    Observe,
    Publish,
    Received,
    Send,
    Signed,
    Store,
)
from lucid.machines.engine import Engine
from lucid.machines.journal import Entry, JournalHeader
from lucid.machines.manager import Manager
from lucid.storage.journal import JournalError, read_journal
from sim.cpus import CPUS
from sim.meteredcrypto import MeteredCrypto

Happened = tuple[int, int, Any]
"""When by the machine's clock (ms), at which lane, and what: a fact, bytes that were sent, or an event."""


def story_of_journals(paths: Sequence[Path]) -> Story:
    """What journals of one chain tell; raises `JournalError`. Lanes are the chain's nodes, by their names.

    A manager's journal has its node's messages and votes. An engine's adds views and timeouts, if its secret is in it,
    as it is in a simulated one. A message whose sender has no journal here begins where it came.
    """
    story = Story(paths[0].name if len(paths) == 1 else f"{len(paths)} journals")
    happened, lanes, story.lanes = _read(paths)
    if not happened:
        raise JournalError("no journal of a manager is among these, nor one of an engine that holds its secret")
    _tell(story, happened, lanes)
    return story


def happenings(paths: Sequence[Path], stores: dict[int, MemoryStore] | None = None) -> tuple[list[Happened], int]:
    """What happened by journals of one chain, in order of time, and how many nodes the chain began with; raises
    `JournalError`. `stores` gets what each manager had stored at the end, by lane."""
    happened, lanes, _ = _read(paths, stores)
    return happened, len(lanes)


def _read(
    paths: Sequence[Path], stores: dict[int, MemoryStore] | None = None
) -> tuple[list[Happened], dict[bytes, int], list[str]]:
    """What happened, the lane of each node's key, and the names of the lanes."""
    happened: list[Happened] = []
    lanes: dict[bytes, int] = {}
    names: list[str] = []
    chain = b""
    for path in paths:
        head, entries = read_journal(path)
        if chain and head.genesis != chain:
            raise JournalError(f"{path} is of another chain than {paths[0]}")
        if not chain:
            chain = head.genesis
            nodes = _decoded(path, head.genesis, Genesis).nodes
            lanes = {node.key: place for place, node in enumerate(nodes)}
            names = [node.name for node in nodes]
        if head.key not in lanes:
            lanes[head.key] = len(lanes)
            names.append(head.key.hex()[:8])
        if head.machine == "manager" or (head.machine == "engine" and head.secret):
            store = MemoryStore()
            happened += _happened(path, head, entries, lanes, store)
            if stores is not None and head.machine == "manager":
                stores[lanes[head.key]] = store
    happened.sort(key=lambda each: each[:2])
    return happened, lanes, names


def _happened(
    path: Path, head: JournalHeader, entries: Iterable[Entry], lanes: dict[bytes, int], store: MemoryStore
) -> list[Happened]:
    """Replay a journal over an empty store."""
    for name, rows in head.tables:
        store.write((name, key, value) for key, value in rows)
    crypto = MeteredCrypto("real" if head.crypto == "real" else "modeled", CPUS["server"])
    genesis, lane = _decoded(path, head.genesis, Genesis), lanes[head.key]
    machine: Manager | Engine
    kind: Any
    if head.machine == "manager":
        machine, kind = Manager(head.key, genesis, crypto, store, head.peers, head.limits), ManagerEvent
    else:
        machine, kind = Engine(head.secret, genesis, crypto, store, head.limits), EngineEvent
    found: list[Happened] = []
    for number, each in enumerate(entries):
        event = _decoded(path, each.event, kind)
        if not number and head.machine == "manager":
            found.append((each.now, lane, STARTS))
        if head.machine == "manager" and isinstance(event, Received | BroadcastVote | Publish):
            found.append((each.now, lane, event))
        for effect in machine.handle(each.now, event):
            match effect:
                case Store():
                    store.write(effect.writes)
                case Send() | Broadcast() if head.machine == "manager":
                    found.append((each.now, lane, effect))
                case Observe(fact) if not isinstance(fact, Signed):
                    found.append((each.now, lane, fact))
    return found


def _tell(story: Story, happened: Iterable[Happened], lanes: dict[bytes, int]) -> None:
    """Add what happened, in order. A message has a name by its sender and its bytes, so that both ends meet."""
    first_ms, places = None, dict[bytes, int]()
    for now, lane, what in happened:
        first_ms = now if first_ms is None else first_ms
        at_us = (now - first_ms) * 1000
        match what:
            case int():
                story.mark(at_us, lane, what)
            case BroadcastVote(vote) | Publish(vote=vote):
                story.mark(at_us, lane, VOTES[vote.kind], vote.epoch, vote.view, hash_=vote.block.hex())
            case Send() | Broadcast():
                places[_name(lane, what.data)] = story.sent(at_us, lane, what.data[1], len(what.data))
            case Received():
                sender = lanes.get(what.peer)
                if sender is None or len(what.data) < 2:
                    continue
                place = places.get(_name(sender, what.data))
                if place is None or story.sent_at[place] > at_us:
                    place = story.sent(at_us, sender, what.data[1], len(what.data))
                story.got(at_us, lane, place)
            case _:
                story.fact(at_us, lane, type(what).__name__, _fields(what))


def _name(sender: int, data: bytes) -> bytes:
    return blake2b(sender.to_bytes(4, "big") + data, digest_size=16).digest()


def _fields(fact: Fact) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(fact).items()}


def _decoded(path: Path, data: bytes, kind: Any) -> Any:
    try:
        found: Record = decode(data, kind)
    except Refusal as refusal:
        raise JournalError(f"{path} is damaged: {refusal}") from None
    return found
