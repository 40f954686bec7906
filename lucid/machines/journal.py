"""Journals: the events that one machine handled, in order, with a mark of each effect that they had.

An entry keeps each effect's tag and the head of its digest, enough to tell that a replay differs and where. A journal
file is a zstd stream of records, each behind its length as four big-endian bytes: one `JournalHeader`, then entries.
"""

from __future__ import annotations

from typing import Protocol

from lucid.chain.codec import Record, encode
from lucid.chain.genesis import Genesis
from lucid.chain.hashing import domain
from lucid.chain.versions import RULES_KNOWN
from lucid.ledger.rowstore import Reader
from lucid.machines.effects import Effects
from lucid.machines.limits import Limits

JOURNAL_VERSION = 4
"""Of the file (section 12, stores, exports, journals): it grew with the limits of a machine, the rules that its release
knew, and who decides. An older one is refused by this number."""
MARK_BYTES = 8
"""Of the hash of an effect that a journal keeps. Chosen: a replay compares, and nobody attacks it. At half, one
difference in 2^32 goes unseen; at double, a journal of many small effects grows for nothing."""

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


def header(
    *,
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
    return (tag_of(effect), _effect_digest(encode(effect))[:MARK_BYTES])


def tag_of(effect: Record) -> int:
    """The number that an effect is encoded with."""
    tag = effect.__struct_config__.tag
    assert isinstance(tag, int), "every effect has a number"
    return tag
