"""Whom to ask for blocks: what peers said of how far they are, and how well they answered (protocol section 8)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from lucid.chain.certificates import signer_places
from lucid.chain.votes import NOTARIZE
from lucid.machines.chain import Chain


class Rate(NamedTuple):
    """How fast a peer's last answer was: blocks a million seconds, how long it took (ms), and whether it fell short:
    its page was not full, though there are more blocks."""

    blocks_a_megasecond: int
    took_ms: int
    short: bool = False


class Sources:
    """The peers, as those who may have blocks. `claims` has the height that each one said it is at."""

    def __init__(self, key: bytes, chain: Chain, peers: tuple[bytes, ...], slow_ms: int) -> None:
        self.key = key
        self.chain = chain
        self.peers = peers
        self.claims: dict[bytes, int] = {}
        self._slow_ms = slow_ms
        self._rates: dict[bytes, Rate] = {}

    @property
    def vouched_height(self) -> int:
        """The highest height that more peers said there is than can be faulty; where there are fewer, all of them."""
        heeded, place = self._heeded()
        said = sorted((self.claims.get(peer, 0) for peer in heeded), reverse=True)
        return said[place] if said else 0

    @property
    def informed(self) -> bool:
        """Whether so many have said how far they are."""
        heeded, place = self._heeded()
        return sum(peer in self.claims for peer in heeded) > place or not heeded

    def _heeded(self) -> tuple[tuple[bytes, ...], int]:
        """The peers that count, the validators that this node knows of, or any if none of them is one; and the place,
        from the highest on, of the first height that they vouch for."""
        validators = self.chain.validators
        faulty = len(validators.keys) - validators.quorum
        heeded = tuple([peer for peer in self.peers if peer in validators.index]) or self.peers
        return heeded, min(faulty, len(heeded) - 1)

    def rated(self, peer: bytes, rate: Rate) -> None:
        """A peer answered, or did not in time."""
        self._rates[peer] = rate

    def first(self, certifier: bytes | None, useless: Collection[bytes]) -> bytes:
        """Whom to ask first for a certified block: who sent its certificate, then its signers, who held it."""
        holders = [certifier, *self._signers()]
        return next((each for each in holders if each in self.peers and each not in useless), self.peers[0])

    def choose(self, peer: bytes, useless: Collection[bytes], signed: bool) -> bytes | None:
        """The peer itself unless it is useless or slow; else who was never asked, if heard of first, or the fastest.

        In place of a useless one, `signed` prefers who signed for the block that is not at hand. None: all are useless.
        """
        place = self.peers.index(peer) if peer in self.peers else -1
        others = [each for each in self.peers[place + 1 :] + self.peers[: max(place, 0)] if each not in useless]
        # Its own proposal may wait for blocks like others, but a node is no peer of itself.
        fit = peer != self.key and peer not in useless
        if signed and not fit:
            signers = [each for each in self._signers() if each in others]
            others = signers or others
        if fit and not self._slow(peer, others):
            return peer
        untried = [each for each in others if each not in self._rates]
        if untried:
            # Who never said how far it is may be out of reach, which costs all the time that an answer may take.
            return next((each for each in untried if each in self.claims), untried[0])
        return max([*others, peer] if fit else others, key=self._worth, default=None)

    def _signers(self) -> list[bytes]:
        """The validators whose signatures certify the block of the highest view that is not at hand."""
        tree, keys = self.chain.tree, self.chain.validators.keys
        found = [tree.certificates.get((view, NOTARIZE)) for view in sorted(tree.wanted.values(), reverse=True)]
        certificate = next((each for each in [*found, self.chain.pending_final] if each is not None), None)
        if certificate is None or certificate.epoch != tree.epoch:
            return []
        return [keys[place] for place in signer_places(certificate.signers)]

    def _rate(self, peer: bytes) -> int:
        return self._rates[peer].blocks_a_megasecond if peer in self._rates else 0

    def _worth(self, peer: bytes) -> tuple[int, int]:
        """How well a peer answered: of those that had nothing to give, who said so comes before who said nothing."""
        return self._rate(peer), -self._rates[peer].took_ms if peer in self._rates else 0

    def _slow(self, peer: bytes, others: list[bytes]) -> bool:
        """Whether a peer's last answer took long or fell short, and there is somebody better, or not yet tried."""
        last = self._rates.get(peer)
        if last is None or not (last.short or last.took_ms > self._slow_ms):
            return False
        # A liar that drips true blocks costs one such wait (section 8).
        return any(each not in self._rates or self._rate(each) > 2 * self._rate(peer) for each in others)
