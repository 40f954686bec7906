"""The replay of a journal: its events go to a fresh machine, and the first effect that differs is found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lucid.chain.codec import Record, decode
from lucid.chain.genesis import read_genesis_record
from lucid.chain.keys import Crypto
from lucid.ledger.memory import MemoryStore
from lucid.machines.anchoring import Anchoring
from lucid.machines.effects import AnchoringEvent, Effects, EngineEvent, ManagerEvent, Store
from lucid.machines.engine import Engine
from lucid.machines.journal import Entry, JournalHeader, mark, tag_of
from lucid.machines.manager import Manager


class Difference(NamedTuple):
    """The first place where a replay left its journal."""

    entry: int
    now: int
    event: str
    effect: int
    recorded: str
    replayed: str


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
    names = {tag_of(effect): type(effect).__name__ for effect in effects}
    return Difference(
        number,
        recorded.now,
        type(event).__name__,
        place,
        "nothing" if old is None else f"{names.get(old[0], f'tag {old[0]}')} {old[1].hex()}",
        "nothing" if place >= len(effects) else f"{effects[place]}",
    )
