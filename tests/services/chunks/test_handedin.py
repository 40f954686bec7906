"""What was handed in is handed in again once it should have come to the chain, and what was not taken at once."""

from __future__ import annotations

from lucid.services.chunks.handedin import SAID_BLOCKS, HandedIn

SESSION, OTHER = b"s" * 48, b"t" * 48


def test_it_is_due_at_first_and_after_so_many_blocks() -> None:
    handed = HandedIn()
    assert handed.due(SESSION, 0)
    assert handed.note(SESSION, 5, 202, {})
    assert not handed.due(SESSION, 5 + SAID_BLOCKS - 1) and handed.due(SESSION, 5 + SAID_BLOCKS)
    assert handed.due(OTHER, 5)
    handed.forget(SESSION)
    handed.forget(OTHER)
    assert handed.due(SESSION, 5)


def test_what_was_not_taken_is_due_at_once() -> None:
    handed = HandedIn()
    assert not handed.note(SESSION, 5, 503, {}) and handed.due(SESSION, 5)
