"""Domain-separated BLAKE3: one digest function for each kind of thing that is hashed or signed.

Protocol section 2. `docs/protocol.md` lists every function here with its preimage.
"""

from __future__ import annotations

from collections.abc import Callable

from blake3 import blake3

DIGEST_BYTES = 32
"""Of every hash (section 2, Hashes)."""
ZERO_DIGEST = bytes(DIGEST_BYTES)

Digest = Callable[[bytes], bytes]
ExtendedDigest = Callable[[bytes, int], bytes]
PieceDigests = Callable[[bytes, bytes | memoryview, int], list[bytes]]
"""The digests of pieces of so many bytes that others are cut into, each behind the same first bytes."""


def domain(context: str) -> Digest:
    """Return the 32-byte BLAKE3 digest function whose `derive_key` context is `context`."""
    # Copying a hasher whose key is already derived costs half of deriving it again for each call.
    keyed = blake3(derive_key_context=context)

    def digest(data: bytes) -> bytes:
        hasher = keyed.copy()
        hasher.update(data)
        return hasher.digest()

    return digest


def extended(context: str) -> ExtendedDigest:
    """Return what takes as many bytes as it is asked for of the BLAKE3 output in that context: the first 32 are the
    digest."""
    keyed = blake3(derive_key_context=context)

    def digest(data: bytes, length: int) -> bytes:
        hasher = keyed.copy()
        hasher.update(data)
        return hasher.digest(length=length)

    return digest


def pieces(context: str) -> PieceDigests:
    """Return what digests many pieces in that context: one hasher for all of them costs a tenth less than one each."""
    keyed = blake3(derive_key_context=context)

    def digests(before: bytes, data: bytes | memoryview, size: int) -> list[bytes]:
        hasher, found = keyed.copy(), list[bytes]()
        for first in range(0, len(data), size):
            hasher.reset()
            hasher.update(before + data[first : first + size])
            found.append(hasher.digest())
        return found

    return digests


genesis_digest = domain("lucid genesis v1")
block_digest = domain("lucid block v1")
vote_digest = domain("lucid vote v1")
certificate_digest = domain("lucid certificate v1")
late_votes_digest = domain("lucid late votes v1")
transaction_digest = domain("lucid transaction v1")
transaction_tree_digest = domain("lucid transaction tree v1")
endorsement_digest = domain("lucid endorsement v1")
claim_digest = domain("lucid claim v1")
validators_digest = domain("lucid validators v1")
beacon_digest = domain("lucid beacon v1")
rank_digest = domain("lucid rank v1")
state_key_digest = domain("lucid state key v1")
state_value_digest = domain("lucid state value v1")
state_node_digest = domain("lucid state node v1")
chunk_tree_digest = domain("lucid chunk tree v1")
chunk_tree_digests = pieces("lucid chunk tree v1")
session_tree_digest = domain("lucid session tree v1")
placement_lots = extended("lucid placement v1")
manifest_digest = domain("lucid manifest v1")
release_digest = domain("lucid session release v1")
challenge_digest = domain("lucid storage challenge v1")
