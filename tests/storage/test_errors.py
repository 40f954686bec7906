"""What goes wrong with a store, as anybody may be told: never with what the store itself said."""

from __future__ import annotations

from lucid.storage.errors import StoreDamaged, StoreError, StoreFull, StoreOther, StoreSlow


def test_each_failure_has_its_code_and_a_sentence_without_what_the_log_alone_is_told() -> None:
    secret = "/home/anna/s3cret"
    failures = {
        1101: StoreError(secret),
        1102: StoreFull(secret),
        1103: StoreOther(secret),
        1104: StoreDamaged(secret, "row", b"\xab"),
    }
    for code, failure in failures.items():
        assert failure.detail == secret
        assert failure.code.code == f"LUCID_ERR_{code}"
        assert failure.sentence and failure.remedy and secret not in failure.sentence + failure.remedy
    assert failures[1104].sentence == "the store is damaged in the table row at the key ab"
    assert StoreDamaged("x", "row").sentence == "the store is damaged in the table row"
    assert StoreDamaged("x", "row", bytes(999)).sentence.endswith("at the key " + "0" * 64), "a key is cut"
    assert StoreSlow().sentence == StoreSlow().detail == "the store does not answer in time"
