"""A chain whose every block is final at once, in the store of a block manager's service."""

from __future__ import annotations

from typing import Any

from lucid.chain.blocks import Block
from lucid.chain.genesis import Genesis
from lucid.chain.transactions import Payload, Transaction
from lucid.chain.versions import RULES_KNOWN
from lucid.chain.votes import FINALIZE
from lucid.machines.chain import Chain
from lucid.machines.manager import Manager
from lucid.storage.durable import DurableStore
from lucid.storage.sqlite import SqliteStore
from tests.builders import CRYPTO
from tests.builders import Chain as Signers


class Growing:
    """What "node 0" knows of a chain, and all who sign on it."""

    def __init__(self, store: SqliteStore, genesis: Genesis, rules_known: int = RULES_KNOWN) -> None:
        self.inner = store
        self.store = DurableStore(store)
        self.signers = Signers(genesis)
        self.manager = Manager(self.signers.node(0), genesis, CRYPTO, self.store, (), rules_known=rules_known)
        self.chain: Chain = self.manager.chain
        store.write(self.chain.recovered)
        self.chain.recovered = []
        self.chain.settle()

    def grow(self, *candidates: Transaction | Payload, **options: Any) -> Block:
        """One more block, final."""
        block = self.signers.grow(*candidates, **options)
        node = self.chain.judge(block, block.header.hash)
        writes = self.chain.add(node)
        certificate = self.signers.certificate(kind=FINALIZE)
        assert certificate is not None and self.chain.verify(certificate)
        _, final = self.chain.finalize(node, certificate)
        self.inner.write([*writes, *final])
        self.chain.settle()
        return block
