"""A node's key on disk, in a file that only its owner may read; and its id beside it, which everybody may.

The key file holds 64 hexadecimal digits, or, locked with a passphrase, `lucid-locked-key-1`, salt and sealed key.

Beside a new key lies an empty file `KEY.unused`. While it is there nothing was ever signed with the key, so that an
engine may begin an empty log of its votes. Without it, a key whose log is missing only looks on until the next epoch
(protocol section 4). Never copy it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from lucid.chain.ed25519 import SECRET_BYTES, ed25519_public_key
from lucid.chain.errors import Code, LucidError

LOCKED = "lucid-locked-key-1"
MEMORY_BYTES = 64 << 20
"""What Argon2id takes to open a key, for a moment: a guess costs as much, and a Pi has it to spare."""
PASSES = 4
_ID_SUFFIX = ".id"
_MAX_BYTES = 1_024
_CREDENTIAL = "lucid-key-passphrase"
"""The name of systemd's credential."""

Passphrase = Callable[[], bytes | None]


class KeyFileError(LucidError):
    """A key file is missing, open to others, locked, or holds no key."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.KEY, detail)


def passphrase(given: str = "", file: Path | None = None, environment: Mapping[str, str] = os.environ) -> bytes | None:
    """The passphrase: as given, the first line of a file, or systemd's credential `lucid-key-passphrase`, if any.

    Raises `KeyFileError` for a file that cannot be read or is empty.
    """
    if given:
        return given.encode()
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if file is None and folder is not None and (Path(folder) / _CREDENTIAL).exists():
        file = Path(folder) / _CREDENTIAL
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            line = opened.readline(_MAX_BYTES).rstrip(b"\r\n")
    except OSError as error:
        raise KeyFileError(f"key_passphrase_file: {file}: {error.strerror}") from None
    if not line:
        raise KeyFileError(f"key_passphrase_file: {file} begins with no passphrase")
    return line


def passphrase_from_environment() -> bytes | None:
    """What `LUCID_KEY_PASSPHRASE`, `LUCID_KEY_PASSPHRASE_FILE` or systemd say. Raises `KeyFileError`."""
    file = os.environ.get("LUCID_KEY_PASSPHRASE_FILE")
    return passphrase(os.environ.get("LUCID_KEY_PASSPHRASE", ""), Path(file) if file else None)


def write_key(path: Path, lock: bytes | None = None) -> bytes:
    """Make a new key at `path`, locked with the passphrase `lock` if there is one; returns the 32-byte secret.

    Raises `KeyFileError`, and never writes over anything.
    """
    if path.name in ("", ".."):
        raise KeyFileError(f"{path} is not the name of a file")
    secret = secrets.token_bytes(SECRET_BYTES)
    text = secret.hex() if lock is None else _locked(secret, lock)
    if id_path(path) == path:
        raise KeyFileError(f"{path} would be the name of its id: name the key otherwise")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        id_path(path).write_text(ed25519_public_key(secret).hex() + "\n", encoding="ascii")
        unused(path).touch()
    except FileExistsError:
        raise KeyFileError(f"{path} exists already") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    return secret


def read_key(path: Path, lock: Passphrase = passphrase_from_environment) -> bytes:
    """The 32-byte secret in a key file; `lock` gives the passphrase if it is locked. Raises `KeyFileError`."""
    text = _read(path, private=True)
    if text.startswith(LOCKED):
        return _unlocked(path, text, lock())
    secret = _hex(text)
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"{path} holds no key: it must be {2 * SECRET_BYTES} hexadecimal digits")
    return secret


def read_id(path: Path) -> bytes:
    """The 32-byte node id in a file. Raises `KeyFileError`."""
    if not path.exists():
        raise KeyFileError(f"there is no {path}, which names the node: lucid keys show KEY > {path} makes it")
    identity = _hex(_read(path, private=False))
    if len(identity) != SECRET_BYTES:
        raise KeyFileError(f"{path} holds no node id: it must be {2 * SECRET_BYTES} hexadecimal digits")
    return identity


def id_path(path: Path) -> Path:
    """Where the id of a key's node is, unless it is set: `node.id` for `node.key`."""
    return path.with_suffix(_ID_SUFFIX)


def unused(path: Path) -> Path:
    """The file that says that a key has never signed anything."""
    return path.with_name(path.name + ".unused")


def _read(path: Path, private: bool) -> str:
    try:
        with path.open(encoding="ascii") as file:
            if private and os.fstat(file.fileno()).st_mode & 0o077:
                raise KeyFileError(f"{path} can be read by others: chmod 600")
            return file.read(_MAX_BYTES).strip()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        return ""


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _locked(secret: bytes, lock: bytes) -> str:
    if not lock:
        raise KeyFileError("the passphrase is empty")
    salt = secrets.token_bytes(pwhash.argon2id.SALTBYTES)
    return f"{LOCKED} {salt.hex()} {bytes(_box(lock, salt).encrypt(secret)).hex()}"


def _unlocked(path: Path, text: str, lock: bytes | None) -> bytes:
    if lock is None:
        raise KeyFileError(f"{path} is locked: name its passphrase by key_passphrase_file (or key_passphrase)")
    words = text.split()
    salt, sealed = map(_hex, words[1:]) if len(words) == 3 else (b"", b"")
    if words[0] != LOCKED or len(salt) != pwhash.argon2id.SALTBYTES:
        raise KeyFileError(f"{path} holds no key: a locked one is {LOCKED} and two values in hexadecimal")
    try:
        secret = _box(lock, salt).decrypt(sealed)
    except (CryptoError, ValueError):
        raise KeyFileError(f"{path} does not open: the passphrase is wrong or the file is damaged") from None
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"{path} holds no key")
    return secret


def _box(lock: bytes, salt: bytes) -> SecretBox:
    return SecretBox(pwhash.argon2id.kdf(SecretBox.KEY_SIZE, lock, salt, opslimit=PASSES, memlimit=MEMORY_BYTES))
