"""A node's key on disk: 64 hexadecimal digits in a file that only its owner may read.

Beside a new key lies an empty file `KEY.unused`. While it is there nothing was ever signed with the key, so that an
engine may begin an empty log of its votes. Without it, a key whose log is missing only looks on until the next epoch
(protocol section 4). Never copy it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from lucid.chain.errors import Code, LucidError
from lucid.chain.keys import SECRET_BYTES


class KeyFileError(LucidError):
    """A key file is missing, open to others, or holds no key."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.KEY, detail)


def write_key(path: Path) -> bytes:
    """Make a new key at `path`; returns the 32-byte secret. Raises `KeyFileError`, and never writes over anything."""
    secret = secrets.token_bytes(SECRET_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        unused(path).touch()
    except FileExistsError:
        raise KeyFileError(f"{path} exists already") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    return secret


def read_key(path: Path) -> bytes:
    """The 32-byte secret in a key file; raises `KeyFileError`."""
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeyFileError(f"{path} can be read by others: chmod 600")
            text = file.read(2 * SECRET_BYTES + 2).strip()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"{path} holds no key: it must be {2 * SECRET_BYTES} hexadecimal digits")
    return secret


def unused(path: Path) -> Path:
    """The file that says that a key has never signed anything."""
    return path.with_name(path.name + ".unused")
