"""Whose a store is: it remembers its chain, node and service, and the data folder that it is used with.

A store without an identity is new, of an older release, or imported; what it holds says whose it may be.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from lucid.chain.blocks import Block
from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import LucidError
from lucid.machines.anchoring import FOLLOWED_TABLE, SESSION_TABLE
from lucid.machines.chain import BLOCK_TABLE, ROOT_KEY, ROOT_TABLE
from lucid.machines.votelog import LATEST_KEY, VOTES_TABLE, VoteLog
from lucid.storage.errors import StoreDamaged, StoreOther
from lucid.storage.files import write_durably
from lucid.storage.interface import HOME_TABLE, IDENTITY_TABLE, Store

IDENTITY_KEY = b"identity"
HOME_KEY = b"mark"
CHUNKS_KEY = b"chunks"
"""The mark of the chunk folder, which may be on a disk of its own."""
MARK_BYTES = 16
ELSEWHERE = (
    "it is used with another data folder; two nodes on one store would mix. If the other folder is gone, "
    "`lucid store adopt STORE` lets go of it"
)

OWNERS = {
    ROOT_TABLE: "manager",
    VOTES_TABLE: "engine",
    SESSION_TABLE: "anchoring",
    FOLLOWED_TABLE: "anchoring",
    "chunk": "data",
}
"""Tables by which a store without an identity shows whose it is."""


class Identity(Record):
    """Chain id, node id and the service's name in lower case."""

    chain: bytes
    node: bytes
    service: str

    def __str__(self) -> str:
        return f"the {self.service} of node {self.node.hex()[:16]}... on chain {self.chain.hex()[:16]}..."


def identity_of(store: Store) -> Identity | None:
    """Whose the store says that it is, if it does. Raises `StoreError`."""
    data = store.get(IDENTITY_TABLE, IDENTITY_KEY)
    if data is None:
        return None
    try:
        return decode(data, Identity)
    except LucidError as error:
        raise StoreDamaged(f"its identity cannot be read: {error}", IDENTITY_TABLE, IDENTITY_KEY) from None


def claim(store: Store, identity: Identity, mark: Path, may_begin: bool = True) -> None:
    """Make sure that the store is `identity`'s and belongs to the data folder that holds the file `mark`.

    An empty store becomes its, where it `may_begin` with one. Raises `StoreOther` with one sentence, and OSError
    where the mark cannot be read or written.
    """
    held = identity_of(store)
    if held is not None and held != identity:
        raise StoreOther(f"it is that of {held}; this is {identity}")
    # A store that knows whose it is is read no further: damage elsewhere in it must not keep it from its start.
    tables = [table for table in store.tables() if table != HOME_TABLE] if held is None else [IDENTITY_TABLE]
    if held is None:
        _check_heirloom(store, tables, identity)
    folder, home = read_mark(mark), store.get(HOME_TABLE, HOME_KEY)
    if not tables and not may_begin:
        raise StoreOther(
            f"it is empty, but the folder {mark.parent} holds what another store knows: correct `store`, or put that "
            f"one back. `lucid store adopt` takes chunks into a new store; a service that holds none begins anew "
            f"without {mark}"
        )
    if home is not None and home != folder:
        raise StoreOther(ELSEWHERE)
    # Another may begin with the same store at this moment: each row is written once, and then it is looked at.
    if held is None and store.write_once(IDENTITY_TABLE, IDENTITY_KEY, encode(identity)) != encode(identity):
        raise StoreOther(f"it is that of {identity_of(store)}; this is {identity}")
    if home is None:
        if folder is None:
            folder = secrets.token_bytes(MARK_BYTES)
            write_durably(mark, folder.hex().encode() + b"\n")
        home = store.write_once(HOME_TABLE, HOME_KEY, folder)
    if home != folder:
        raise StoreOther(ELSEWHERE)


def check_service(store: Store, service: str) -> None:
    """Make sure that a store can be that of a service, by what it says or else by what it holds. Raises `StoreOther`
    and `StoreError`."""
    held = identity_of(store)
    owners = {OWNERS.get(table, service) for table in store.tables()} if held is None else {held.service}
    for owner in sorted(owners - {service}):
        raise StoreOther(f"it is that of {held or f'the {owner}'}; this is for that of the {service} service alone")


def _check_heirloom(store: Store, tables: list[str], identity: Identity) -> None:
    """Whether a store that has no identity can be this one's, by what it holds. Raises `StoreOther`."""
    for table in tables:
        owner = OWNERS.get(table, identity.service)
        if owner != identity.service:
            raise StoreOther(f"it is that of the {owner}; this is {identity}")
    root = store.get(ROOT_TABLE, ROOT_KEY)
    if root is not None and root != identity.chain:
        data = store.get(BLOCK_TABLE, root)
        chain = None if data is None else decode(data, Block).header.chain
        if chain != identity.chain:
            raise StoreOther(f"it is of another chain; this is {identity}")
    if store.get(VOTES_TABLE, LATEST_KEY) is not None:
        for votes in VoteLog(store).all_votes():
            if votes.signer != identity.node:
                raise StoreOther(f"it holds votes of another node; this is {identity}")


def read_mark(path: Path) -> bytes | None:
    """The mark of a data folder, if it has one. Raises `StoreOther` for a file that holds none, and OSError."""
    try:
        text = path.read_text(encoding="ascii").strip()
        mark = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except ValueError:
        mark = b""
    if len(mark) != MARK_BYTES:
        raise StoreOther(f"{path} does not hold the {2 * MARK_BYTES} hexadecimal digits of a data folder's mark")
    return mark


def adopt(store: Store) -> bool:
    """Let go of the folders that the store was used with; returns whether there were any. Raises `StoreError`."""
    held = [key for key in (HOME_KEY, CHUNKS_KEY) if store.get(HOME_TABLE, key) is not None]
    if held:
        store.write([(HOME_TABLE, key, None) for key in held])
    return bool(held)
