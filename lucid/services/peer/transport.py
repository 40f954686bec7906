"""The key by which a node's manager is known to other nodes, and the certificate of it that its engine signs.

The node's own key stays with the engine. A transport key is made anew at each start and each day, lives in memory only,
and can do nothing but open connections (`docs/protocol.md`, section 8).
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import msgspec

from lucid.chain.codec import Record, encode
from lucid.chain.ed25519 import SECRET_BYTES
from lucid.chain.fields import Key, Natural
from lucid.chain.hashing import domain
from lucid.chain.keys import Crypto
from lucid.chain.votes import Hash, Signature

_certificate_digest = domain("lucid transport certificate v1")


class TransportCertificate(Record):
    """A node's word that `transport` speaks for it, until one with a higher `sequence` is seen."""

    chain: Hash
    node: Key
    transport: Key
    sequence: Natural
    signature: Signature


class Transport(NamedTuple):
    """What a manager opens connections with."""

    secret: bytes
    certificate: TransportCertificate


def new_transport_key() -> bytes:
    """A fresh secret."""
    return secrets.token_bytes(SECRET_BYTES)


def certify(crypto: Crypto, secret: bytes, chain: bytes, transport: bytes, sequence: int) -> TransportCertificate:
    """The certificate of a transport key, signed by the node's `secret`."""
    blank = TransportCertificate(chain, crypto.public_key(secret), transport, sequence, bytes(64))
    return msgspec.structs.replace(blank, signature=crypto.sign(secret, _message(blank)))


def holds(crypto: Crypto, certificate: TransportCertificate) -> bool:
    """Whether the node that a certificate names signed it."""
    return crypto.verify(certificate.node, _message(certificate), certificate.signature)


def _message(certificate: TransportCertificate) -> bytes:
    signed = (certificate.chain, certificate.node, certificate.transport, certificate.sequence)
    return _certificate_digest(encode(signed))
