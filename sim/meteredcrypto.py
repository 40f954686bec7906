"""Signatures whose cost in virtual time is counted, whatever makes them."""

from __future__ import annotations

from lucid.chain.keys import Crypto
from lucid.poot.crypto import Edwards25519
from sim.cpus import Cpu
from sim.crypto import CryptoKind, ModeledCrypto

REMEMBERED = 16_384
"""Signatures in each of two generations: of 100 nodes, those of some fifty blocks."""


class MeteredCrypto:
    """Adds up the virtual microseconds that operations cost (`spent_us`) and remembers what was verified."""

    def __init__(self, kind: CryptoKind, cpu: Cpu) -> None:
        self._cpu = cpu
        self._verify_us = cpu.verify_us
        self._crypto: Crypto = Edwards25519() if kind == "real" else ModeledCrypto()
        self.spent_us = 0
        self._valid: dict[tuple[bytes, bytes], bytes] = {}
        self._older: dict[tuple[bytes, bytes], bytes] = {}
        self._outputs: dict[tuple[bytes, bytes, bytes], bytes | None] = {}

    def public_key(self, secret: bytes) -> bytes:
        """See `Crypto`."""
        return self._crypto.public_key(secret)

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """See `Crypto`."""
        self.spent_us += self._cpu.sign_us
        signature = self._crypto.sign(secret, message)
        self._remember((self.public_key(secret), message), signature)
        return signature

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """See `Crypto`."""
        self.spent_us += self._verify_us
        pair = (public_key, message)
        if self._valid.get(pair) == signature or self._older.get(pair) == signature:
            return True
        if self._crypto.verify(public_key, message, signature):
            self._remember(pair, signature)
            return True
        return False

    def vrf_prove(self, secret: bytes, alpha: bytes) -> bytes:
        """See `Crypto`."""
        self.spent_us += self._cpu.prove_us
        return self._crypto.vrf_prove(secret, alpha)

    def vrf_verify(self, public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
        """See `Crypto`."""
        self.spent_us += self._cpu.vrf_verify_us
        triple = (public_key, alpha, proof)
        if triple not in self._outputs:
            if len(self._outputs) > REMEMBERED:
                self._outputs.clear()
            self._outputs[triple] = self._crypto.vrf_verify(public_key, alpha, proof)
        return self._outputs[triple]

    def _remember(self, pair: tuple[bytes, bytes], signature: bytes) -> None:
        if len(self._valid) >= REMEMBERED:
            self._valid, self._older = {}, self._valid
        self._valid[pair] = signature
