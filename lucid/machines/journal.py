"""Journals: the events that one machine handled, in order, and a replay that finds the first effect that differs.

An entry keeps each effect's tag and the head of its digest, enough to tell that a replay differs and where. A journal
file is a zstd stream of records, each behind its length as four big-endian bytes: one `JournalHeader`, then entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from lucid.chain.codec import Record, decode, encode
from lucid.chain.genesis import Genesis, read_genesis_record
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.versions import RULES_KNOWN
from lucid.ledger.memory import MemoryStore
from lucid.ledger.state import Reader
from lucid.machines.anchoring import Anchoring
from lucid.machines.effects import AnchoringEvent, Effects, EngineEvent, ManagerEvent, Store
from lucid.machines.engine import Engine
from lucid.machines.limits import Limits
from lucid.machines.manager import Manager

JOURNAL_VERSION = 4
MARK_BYTES = 8

_effect_digest = domain("lucid journal effect v1")


class JournalHeader(Record):
    """Who ran, and from what state. `secret` is empty in journals of real nodes: their owner has it."""

    version: int
    machine: str
    crypto: str
    genesis: bytes
    key: bytes
    secret: bytes
    peers: tuple[bytes, ...]
    limits: Limits
    tables: tuple[tuple[str, tuple[tuple[bytes, bytes], ...]], ...]
    rules: int
    """The newest version of the chain's rules that the machine's release knew."""


class Entry(Record):
    """One event at `now` (ms of the machine's clock), encoded, and the marks of the effects that it had."""

    now: int
    event: bytes
    effects: tuple[tuple[int, bytes], ...]


class Tables(Reader, Protocol):
    """A store that can name its tables."""

    def tables(self) -> list[str]:
        """Names of the tables that hold something, in order."""


class Difference(NamedTuple):
    """The first place where a replay left its journal."""

    entry: int
    now: int
    event: str
    effect: int
    recorded: str
    replayed: str


def header(
    machine: str,
    crypto: str,
    genesis: Genesis,
    key: bytes,
    secret: bytes,
    peers: tuple[bytes, ...],
    limits: Limits,
    store: Tables,
    rules: int = RULES_KNOWN,
) -> JournalHeader:
    """The header of a machine that is about to start from what `store` holds."""
    tables = tuple([(name, tuple(store.scan(name))) for name in store.tables()])
    return JournalHeader(
        version=JOURNAL_VERSION,
        machine=machine,
        crypto=crypto,
        genesis=encode(genesis),
        key=key,
        secret=secret,
        peers=peers,
        limits=limits,
        tables=tables,
        rules=rules,
    )


def entry(now: int, event: Record, effects: Effects) -> Entry:
    """The journal's entry for one handled event."""
    return Entry(now, encode(event), tuple([mark(effect) for effect in effects]))


def mark(effect: Record) -> tuple[int, bytes]:
    """An effect's tag and the head of its digest."""
    return (_tag(effect), _effect_digest(encode(effect))[:MARK_BYTES])


def replay(head: JournalHeader, entries: Iterable[Entry], crypto: Crypto) -> tuple[int, Difference | None]:
    """Feed a journal to a fresh machine; returns how many events agreed and the first difference, if any."""
    store = MemoryStore()
    for name, rows in head.tables:
        store.write((name, key, value) for key, value in rows)
    genesis = read_genesis_record(head.genesis)
    kind: Any
    machine: Manager | Engine | Anchoring
    if head.machine == "manager":
        machine = Manager(head.key, genesis, crypto, store, head.peers, head.limits, rules_known=head.rules)
        kind = ManagerEvent
    elif head.machine == "anchoring":
        machine = Anchoring(store)
        kind = AnchoringEvent
    else:
        machine = Engine(head.secret, genesis, crypto, store, head.limits, head.rules)
        kind = EngineEvent
    count = 0
    for each in entries:
        event = decode(each.event, kind)
        effects = machine.handle(each.now, event)
        for effect in effects:
            if isinstance(effect, Store):
                store.write(effect.writes)
        difference = _compare(count, each, event, effects)
        if difference is not None:
            return count, difference
        count += 1
    return count, None


def _compare(number: int, recorded: Entry, event: Record, effects: Effects) -> Difference | None:
    marks = [mark(effect) for effect in effects]
    if tuple(marks) == recorded.effects:
        return None
    place = 0
    while place < min(len(marks), len(recorded.effects)) and marks[place] == recorded.effects[place]:
        place += 1
    old = recorded.effects[place] if place < len(recorded.effects) else None
    names = {_tag(effect): type(effect).__name__ for effect in effects}
    return Difference(
        number,
        recorded.now,
        type(event).__name__,
        place,
        "nothing" if old is None else f"{names.get(old[0], f'tag {old[0]}')} {old[1].hex()}",
        "nothing" if place >= len(effects) else f"{effects[place]}",
    )


def _tag(effect: Record) -> int:
    tag = effect.__struct_config__.tag
    assert isinstance(tag, int), "every effect has a number"
    return tag
