"""Whose each session is, as it was when this user first fetched it: a file of lines `CHAIN SESSION OWNER`."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from lucid.client.errors import BundleError

MAX_PINS_BYTES = 16 << 20


def default_pins() -> Path:
    """Where the pins of this user are."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "lucid" / "owners"


def pinned_owner(path: Path, chain_id: bytes, session: UUID) -> bytes | None:
    """The owner whose session of this id was fetched before, if one was. Raises `BundleError`."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_PINS_BYTES).decode().splitlines()
        for line in lines:
            chain, of, owner = line.split(" ")
            if (chain, of) == (chain_id.hex(), str(session)):
                return bytes.fromhex(owner)
    except FileNotFoundError:
        pass
    except ValueError:
        raise BundleError(f"{path} holds a line that is not CHAIN SESSION OWNER") from None
    return None


def pin_owner(path: Path, chain_id: bytes, session: UUID, owner: bytes) -> None:
    """Remember whose a session is."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(f"{chain_id.hex()} {session} {owner.hex()}\n")
