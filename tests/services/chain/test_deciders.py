"""Who decides, as a node tells it: the genesis document's, until they hand on."""

from __future__ import annotations

from typing import Any

from lucid.api.answers import Deciders
from lucid.chain.administrators import Administrators
from lucid.ledger.rows import AdministrationEntry
from lucid.services.chain.deciders import who_decides
from tests.builders import make_genesis

GENESIS = make_genesis()
FIRST = Deciders(tuple(key.hex() for key in GENESIS.administrators), 2)
OTHERS = Administrators((bytes(32), bytes([1]) * 32), 1)
TOLD = Deciders(("00" * 32, "01" * 32), 1)


class Handing:
    """A chain, of which all that counts is who decides on it."""

    def __init__(self, administration: AdministrationEntry | None) -> None:
        self.administration = administration


def told(administration: AdministrationEntry | None) -> tuple[Deciders, Deciders | None]:
    chain: Any = Handing(administration)
    return who_decides(chain, GENESIS)


def test_the_genesis_document_is_read_until_they_hand_on() -> None:
    assert told(None) == (FIRST, None)
    current = Administrators(GENESIS.administrators, GENESIS.threshold)
    assert told(AdministrationEntry(current, OTHERS)) == (FIRST, TOLD)
    assert told(AdministrationEntry(OTHERS, None)) == (TOLD, None)
