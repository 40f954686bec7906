"""How validator sets follow each other: each check of a closing, by what only it refuses."""

from __future__ import annotations

import pytest
from msgspec import structs

from harness.notary import CRYPTO, Notary
from lucid.chain.closings import EpochClosing, check_final, follow_closings
from lucid.chain.codec import encode
from lucid.chain.errors import Code, Refusal
from lucid.chain.votes import NOTARIZE

NET = Notary()
CLOSING = NET.header(1, NET.genesis.chain_id, view=NET.closing_view, next_validators=NET.second.hash)


def follow(*closings: EpochClosing) -> tuple[bytes, ...]:
    """The keys after these closings."""
    return follow_closings(NET.genesis, closings, CRYPTO).keys


def refused(*closings: EpochClosing, says: str = "") -> None:
    """They are refused, and the refusal says which of them for what."""
    with pytest.raises(Refusal) as caught:
        follow(*closings)
    assert caught.value.code is Code.FINALITY_INVALID and says in caught.value.detail


def test_sets_follow_each_other() -> None:
    again = NET.header(
        2, CLOSING.hash, view=NET.closing_view, epoch=1, validators=NET.second.hash, next_validators=NET.first.hash
    )
    assert follow() == NET.first.keys
    assert follow(NET.close(CLOSING, NET.second)) == NET.second.keys
    assert follow(NET.close(CLOSING, NET.second), NET.close(again, NET.first, NET.second)) == NET.first.keys


def test_the_next_set_is_the_one_that_the_closing_block_commits_to() -> None:
    refused(NET.close(CLOSING, NET.first), says="validators after epoch 0")
    refused(NET.close(structs.replace(CLOSING, next_validators=bytes(32)), NET.second))
    refused(structs.replace(NET.close(CLOSING, NET.second), validators=()))
    refused(structs.replace(NET.close(CLOSING, NET.second), validators=NET.second.keys[:3]))
    refused(structs.replace(NET.close(CLOSING, NET.second), validators=NET.second.keys + NET.second.keys[:1]))


def test_a_closing_names_its_own_set() -> None:
    refused(NET.close(structs.replace(CLOSING, validators=NET.second.hash), NET.second))
    refused(NET.close(structs.replace(CLOSING, validators=bytes(32)), NET.second))


def test_a_closing_closes_its_epoch() -> None:
    early = structs.replace(CLOSING, view=NET.closing_view - 1)
    refused(NET.close(early, NET.second), says="epoch 0 is not closed")
    refused(NET.close(structs.replace(CLOSING, epoch=1), NET.second))
    refused(NET.close(structs.replace(CLOSING, chain=bytes(32)), NET.second))


def test_finality_is_by_the_set_and_of_the_block() -> None:
    refused(NET.close(CLOSING, NET.second, NET.second), says="finality in epoch 0")
    other = structs.replace(CLOSING, tick=99)
    for certificate in (
        NET.certify(CLOSING, kind=NOTARIZE),
        NET.certify(other),
        structs.replace(NET.certify(CLOSING), epoch=1),
        structs.replace(NET.certify(CLOSING), signatures=(bytes(64),) * 3),
    ):
        refused(EpochClosing(encode(CLOSING), certificate, NET.second.keys))
        with pytest.raises(Refusal):
            check_final(CLOSING, certificate, 0, NET.first, NET.genesis.chain_id, CRYPTO)
