"""What goes wrong with a store, as whoever uses one is told."""

from __future__ import annotations

from lucid.chain.errors import Code, LucidError


class StoreError(LucidError):
    """The store cannot do what it must now; it may be tried again. `detail` is for the log, `sentence` for anyone."""

    sentence = "the store cannot be read or written"
    remedy = "it is tried again every second; the log has what the store said"

    def __init__(self, detail: str, code: Code = Code.STORE_FAILED) -> None:
        super().__init__(code, detail)


class StoreFull(StoreError):
    """There is no room for a write; nothing of it was written, and it may be tried again."""

    sentence = "the store has no room"
    remedy = "free space on its disk; what waits is written then"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, Code.STORE_FULL)


class StoreSlow(StoreError):
    """The store did not answer within the time that a reader gave it."""

    sentence = "the store does not answer in time"

    def __init__(self) -> None:
        super().__init__(self.sentence)


class StoreOther(StoreError):
    """The store is that of another chain, node, service or folder, or of no Lucid at all. Never tried again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, Code.STORE_OTHER)


class StoreDamaged(StoreError):
    """What is stored cannot be read and will not be by trying again; names the table and the key where it was found."""

    remedy = (
        "stop the service, run `lucid store check`, and restore the store from a backup; "
        "a block manager may also begin with an empty store and fetch the chain from its peers"
    )

    def __init__(self, detail: str, table: str = "", key: bytes = b"") -> None:
        super().__init__(detail, Code.STORE_DAMAGED)
        where = f" in the table {table}" + (f" at the key {key.hex()[:64]}" if key else "") if table else ""
        self.sentence = f"the store is damaged{where}"
