"""Refusal codes: stable numbers that programs may rely on, and sentences for people."""

from __future__ import annotations

import re

import pytest

from lucid.chain.errors import Code, GenesisError, LucidError, Refusal

# What has been published once keeps its number forever; new codes are added to the table in the product alone.
PUBLISHED = {
    "MALFORMED": 1001, "NOT_CANONICAL": 1002, "OVERSIZED": 1003, "REPLAYED": 1004, "UNEXPECTED": 1005,
    "THROTTLED": 1006,
    "GENESIS": 2001,
    "BLOCK_VERSION": 4001, "BLOCK_SIZE": 4002, "BLOCK_PARENT": 4003, "BLOCK_HEIGHT": 4004, "BLOCK_EPOCH": 4005,
    "BLOCK_VIEW": 4006, "BLOCK_TICK": 4007, "BLOCK_LEADER": 4008, "BLOCK_SIGNATURE": 4009, "BLOCK_VRF": 4010,
    "BLOCK_CERTIFICATE": 4011, "BLOCK_LATE_VOTES": 4012, "BLOCK_TRANSACTIONS_ROOT": 4013, "BLOCK_STATE_ROOT": 4014,
    "BLOCK_VALIDATORS": 4015, "BLOCK_CLOSED": 4016,
    "TX_SIZE": 5001, "TX_ENDORSER": 5002, "TX_EXPIRED": 5003, "TX_SIGNATURE": 5004, "TX_FIELD": 5005,
    "TX_BEACON_SLOT": 5006, "TX_BEACON_BLOCK": 5007, "TX_BEACON_TWICE": 5008, "TX_NOT_MEMBER": 5009,
    "TX_MEMBER": 5010, "TX_ADMIN_SEQUENCE": 5011, "TX_ADMIN_THRESHOLD": 5012, "TX_EVIDENCE": 5013,
    "TX_EVIDENCE_TWICE": 5014, "TX_LAST_MEMBER": 5015,
    "MEMPOOL_FULL": 5020, "MEMPOOL_KNOWN": 5021, "MEMPOOL_CLOSED": 5022,
    "SESSION_UNKNOWN": 6005, "SESSION_DUPLICATE": 6006, "REPLICA_DUPLICATE": 6007,
    "VOTE_EPOCH": 7001, "VOTE_SIGNER": 7002, "VOTE_SIGNATURE": 7003, "VOTE_FAR": 7004, "CERTIFICATE_INVALID": 7005,
    "PROPOSAL_STALE": 7006, "PROPOSAL_INVALID": 7007, "PROPOSAL_EQUIVOCATES": 7009,
    "SYNC_INVALID": 7010,
    "SNAPSHOT_INVALID": 8001,
}  # fmt: skip


def test_published_codes_keep_their_numbers() -> None:
    assert {name: int(Code[name]) for name in PUBLISHED} == PUBLISHED


def test_no_two_codes_share_a_number() -> None:
    assert len({int(code) for code in Code.__members__.values()}) == len(Code.__members__)


@pytest.mark.parametrize("code", list(Code))
def test_a_code_names_itself_and_says_what_was_wrong(code: Code) -> None:
    assert code.code == f"LUCID_ERR_{int(code)}"
    assert re.fullmatch(r"[a-zA-Z].{9,}[^.]", code.sentence), "one sentence, without a full stop"


def test_an_error_is_its_code_its_sentence_and_its_detail() -> None:
    plain, detailed = LucidError(Code.TX_SIZE), Refusal(Code.TX_FIELD, "chunks")
    assert str(plain) == "LUCID_ERR_5001: transaction exceeds its byte limit"
    assert str(detailed) == "LUCID_ERR_5005: a field is out of its bounds (chunks)"
    assert (plain.code, plain.detail) == (Code.TX_SIZE, "")
    assert (detailed.code, detailed.detail) == (Code.TX_FIELD, "chunks")


def test_one_except_clause_catches_every_error_of_the_project() -> None:
    for error in (Refusal(Code.REPLAYED), GenesisError("nodes")):
        assert isinstance(error, LucidError)
    assert not isinstance(GenesisError("nodes"), Refusal)
    assert GenesisError("nodes").code is Code.GENESIS
    assert GenesisError("nodes").detail == "nodes"
