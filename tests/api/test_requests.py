"""What clients send as JSON: only what a service understands whole is taken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lucid.api.requests import DecisionSubmission, PruneOrder, ScrubOrder, Submission

WHOLE: tuple[tuple[msgspec.Struct, dict[str, Any]], ...] = (
    (ScrubOrder("start", 60_000, 5), {"action": "start", "max_duration_ms": 60_000, "max_age_ms": 5}),
    (PruneOrder(True), {"dry_run": True}),
    (Submission("00"), {"payload": "00"}),
    (DecisionSubmission("00"), {"payload": "00"}),
)
KINDS = [type(order) for order, _ in WHOLE]


def read(kind: type[msgspec.Struct], document: Any) -> Any:
    """What a service makes of a document."""
    return msgspec.json.decode(msgspec.json.encode(document), type=kind)


@pytest.mark.parametrize(("order", "document"), WHOLE)
def test_what_a_client_writes_is_what_a_service_reads(order: msgspec.Struct, document: dict[str, Any]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(order)) == document
    assert read(type(order), document) == order


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_a_service_does_not_know_is_refused(kind: type[msgspec.Struct]) -> None:
    """A wish that is not understood must not be half carried out: a prune whose `dry-run` is misspelt removes."""
    for order, document in WHOLE:
        if isinstance(order, kind):
            with pytest.raises(msgspec.ValidationError, match="unknown field `dry-run`"):
                read(kind, {**document, "dry-run": True})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("document", [None, [], "start", 1])
def test_a_document_that_is_no_object_is_refused(kind: type[msgspec.Struct], document: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(kind, document)


def test_what_is_left_out_is_the_mildest() -> None:
    assert read(ScrubOrder, {"action": "pause"}) == ScrubOrder("pause", 0, 0)
    assert read(PruneOrder, {}) == PruneOrder(dry_run=False)
    for kind in (Submission, DecisionSubmission, ScrubOrder):
        with pytest.raises(msgspec.ValidationError, match="missing required field"):
            read(kind, {})


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (ScrubOrder, {"action": "stop"}),
        (ScrubOrder, {"action": "start", "max_age_ms": "5"}),
        (PruneOrder, {"dry_run": 0}),
        (PruneOrder, {"dry_run": "false"}),
        (Submission, {"payload": None}),
        (DecisionSubmission, {"payload": ["00"]}),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: type[msgspec.Struct], document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(kind, document)
