"""Each way of the link has its own words: what the one side says is none of the other's."""

from __future__ import annotations

import pytest

from lucid.chain.codec import Record, decode, encode
from lucid.chain.errors import Refusal
from lucid.services.peer.linkmessages import FROM_ENGINE, FROM_MANAGER, CertificateWanted, Farewell, Heartbeat


def test_both_sides_say_that_they_are_alive() -> None:
    for way in (FROM_ENGINE, FROM_MANAGER):
        assert decode(encode(Heartbeat()), way.says) == Heartbeat()


@pytest.mark.parametrize("word", [CertificateWanted(transport=bytes(32)), Farewell(why="too old")])
def test_what_the_manager_says_no_engine_may(word: Record) -> None:
    assert decode(encode(word), FROM_MANAGER.says) == word
    with pytest.raises(Refusal):
        decode(encode(word), FROM_ENGINE.says)
