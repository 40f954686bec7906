"""The quorum path: the earliest that a block of a given leader can be final at each node, by link latencies alone."""

from __future__ import annotations

from collections.abc import Sequence


def earliest_final_us(base_us: Sequence[Sequence[int]], leader: int) -> list[int]:
    """Microseconds from a leader's proposal to finality at each node, if only messages took time (protocol section 4).

    `base_us[a][b]` is the median one-way latency. The block reaches each node straight from the leader; a node has the
    notarization when the quorum's votes have reached it, or someone who has it has forwarded it; it signs finalize once
    it has block and notarization, and the block is final at a node when a quorum of those has come. Signatures, disks
    and jitter come on top, so measured finality is this at best.
    """
    nodes = range(len(base_us))
    quorum = 2 * len(base_us) // 3 + 1

    def delay(sender: int, receiver: int) -> int:
        return 0 if sender == receiver else base_us[sender][receiver]

    def quorum_at(sent_us: Sequence[int], receiver: int) -> int:
        return sorted(sent_us[sender] + delay(sender, receiver) for sender in nodes)[quorum - 1]

    held = [delay(leader, node) for node in nodes]
    assembled = [quorum_at(held, node) for node in nodes]
    # A node forwards a notarization once, so it may come by way of several others.
    notarized = assembled
    for _ in nodes:
        forwarded = [min(notarized[sender] + delay(sender, node) for sender in nodes) for node in nodes]
        if forwarded == notarized:
            break
        notarized = forwarded
    signed = [max(block, certificate) for block, certificate in zip(held, notarized, strict=True)]
    return [max(held[node], quorum_at(signed, node)) for node in nodes]
