"""The genesis document: who starts the chain, under which parameters (protocol section 3)."""

from __future__ import annotations

from functools import cached_property

from msgspec import field

from lucid.chain.codec import HashedRecord, Record, decode, encode
from lucid.chain.errors import GenesisError, Refusal
from lucid.chain.fields import Key, Natural
from lucid.chain.hashing import genesis_digest
from lucid.chain.parameters import Parameters, check_parameters

CHAIN_NAME = "lucid_blocks"
NAME_BYTES = 64
"""Of a name, and of a pool's (section 3, and `register_node` in section 6)."""
_ARRAY = 0x90
"""What an array of up to 15 elements begins with in MessagePack: this byte plus their number."""


class GenesisNode(Record):
    """A validator of the first epoch: `key` is its Ed25519 public key and node id; `pool` is empty for none."""

    key: Key
    name: str
    pool: str = ""


class Activation(Record):
    """A version of the rules, and the height from which on it holds (`lucid.chain.versions`)."""

    version: Natural
    height: Natural = 0


class Genesis(HashedRecord):
    """The document whose hash is the chain id."""

    genesis_time_ms: Natural
    nodes: tuple[GenesisNode, ...]
    administrators: tuple[Key, ...] = ()
    threshold: Natural = 0
    parameters: Parameters = field(default_factory=Parameters)
    chain: str = CHAIN_NAME

    @property
    def rules(self) -> Activation | None:
        """The rules that the document names, if it is one that does."""
        return None

    @cached_property
    def chain_id(self) -> bytes:
        """The 32-byte hash that names this chain in everything signed."""
        return genesis_digest(encode(self))

    def tick_ms(self, tick: int) -> int:
        """Wall time at which a tick begins, in milliseconds since the Unix epoch."""
        return self.genesis_time_ms + tick * self.parameters.block_interval_ms

    def tick_at(self, now_ms: int) -> int:
        """The tick that holds `now_ms`, 0 before genesis."""
        return max(0, (now_ms - self.genesis_time_ms) // self.parameters.block_interval_ms)

    def check(self) -> Genesis:
        """Return self when every bound holds, else raise `GenesisError` naming the key."""
        check_parameters(self.parameters)
        keys = [node.key for node in self.nodes]
        rules = (
            ("chain", self.chain == CHAIN_NAME, f"must be {CHAIN_NAME}"),
            # A chain without validators never makes a block.
            ("nodes", bool(keys), "must name at least one node"),
            ("nodes", len(set(keys)) == len(keys), "names a key twice"),
            ("nodes", all(0 < len(n.name.encode()) <= NAME_BYTES for n in self.nodes), "has a bad name length"),
            ("nodes", all(len(n.pool.encode()) <= NAME_BYTES for n in self.nodes), "has a bad pool length"),
            ("administrators", len(set(self.administrators)) == len(self.administrators), "names a key twice"),
            # Else no decision could ever be made, and none could mend it (section 3).
            ("threshold", self.threshold <= len(self.administrators), "exceeds the number of administrators"),
            ("threshold", not self.administrators or self.threshold > 0, "must be at least 1"),
            # Version 1 has one form, without the field: two documents of one meaning would be two chains.
            ("rules", self.rules is None or self.rules.version > 1, "must name a version above 1"),
        )
        for key, holds, wish in rules:
            if not holds:
                raise GenesisError(f"{key} {wish}")
        return self


class GenesisOfRules(Genesis):
    """A document that names rules above version 1. A kind of its own, because no other has the field: the chain ids of
    documents without it stay."""

    rules: Activation = Activation(2)
    """The first version that a document names: one of version 1 has no such field (section 3)."""


def beginning_with(genesis: Genesis, version: int) -> Genesis:
    """A document that names no rules, as one whose chain begins with this version of them (section 12, Rules)."""
    fields = {name: getattr(genesis, name) for name in Genesis.__struct_fields__}
    return genesis if version == 1 else GenesisOfRules(**fields, rules=Activation(version))


def decode_genesis(data: bytes) -> Genesis:
    """Decode and check a genesis document; raises `GenesisError` for whatever is wrong with it."""
    try:
        return read_genesis_record(data).check()
    except Refusal as refusal:
        raise GenesisError(refusal.detail or refusal.code.sentence) from None


def read_genesis_record(data: bytes) -> Genesis:
    """Decode canonical bytes of a document, unchecked; raises `Refusal` as `decode` does."""
    fields = len(Genesis.__struct_fields__)
    return decode(data, GenesisOfRules if data[:1] == bytes([_ARRAY | fields + 1]) else Genesis)
