"""A doubt is a text for people, with the cause that code decides by."""

from __future__ import annotations

import pickle

from smoke.static.model.doubt import NO_DOUBT, Doubt, DoubtCause


def test_a_doubt_reads_as_its_text_and_keeps_its_cause() -> None:
    doubt = Doubt("a base", DoubtCause.BASE)
    assert doubt == "a base" and doubt.cause is DoubtCause.BASE and bool(doubt)


def test_no_doubt_is_false() -> None:
    assert not NO_DOUBT and NO_DOUBT.cause is DoubtCause.BASE


def test_causes_are_told_apart_by_their_words() -> None:
    assert (
        len({*map(str, DoubtCause)}) == len(DoubtCause)
        and pickle.loads(pickle.dumps(DoubtCause.COPY)) is DoubtCause.COPY
    )
