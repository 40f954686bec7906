"""Certificates for loopback, made for a test."""

from __future__ import annotations

from pathlib import Path

import trustme


def certified(folder: Path) -> dict[str, Path]:
    """Settings with a certificate for loopback, and the authority behind it."""
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    found = {name: folder / f"{name}.pem" for name in ("tls_cert", "tls_key", "tls_ca")}
    leaf.cert_chain_pems[0].write_to_path(str(found["tls_cert"]))
    leaf.private_key_pem.write_to_path(str(found["tls_key"]))
    authority.cert_pem.write_to_path(str(found["tls_ca"]))
    return found
