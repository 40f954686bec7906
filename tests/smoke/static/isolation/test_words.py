"""Words are words: parts of names in camel and snake case count, letters that only look alike do not."""

from __future__ import annotations

import pytest

from smoke.static.isolation.words import is_trace, split, traces


@pytest.mark.parametrize(
    ("run", "parts"),
    [
        ("sendTRXNow2", ["send", "trx", "now", "2"]),
        ("TRONWeb", ["tron", "web"]),
        ("", []),
        ("äTron", ["ä", "tron"]),
    ],
)
def test_a_run_is_split_where_its_writing_changes(run: str, parts: list[str]) -> None:
    assert split(run) == parts


@pytest.mark.parametrize(
    "run", ["tron", "TRX", "Usdt", "tron1", "sendTRX", "tronWeb", "TronGrid", "mytronwallet", "payTronNow", "trxs2usdt"]
)
def test_words_and_their_parts_are_traces(run: str) -> None:
    assert is_trace(run)


@pytest.mark.parametrize("run", ["neutron", "electronic", "strong", "scantron", "trX", "TrX", "x", "astronomy", ""])
def test_what_only_has_the_letters_is_none(run: str) -> None:
    assert not is_trace(run)


def test_a_word_written_with_capitals_within_is_the_word() -> None:
    assert is_trace("TrOnGrId") and not is_trace("trX"), "a short one is chance"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pay in USDT, not tron-ish", [(7, "USDT"), (17, "tron")]),
        ("a TRC-20 token and trc 10", [(2, "TRC-20"), (19, "trc 10")]),
        ("trc200 is a chip", []),
        ("tron" * 100, []),
        ("QmFzZTY0IHRyb24gdGV4dCB3aXRoIHRSWCBpbnNpZGU1", []),
        ("K9tRx7Zq2Lw8Xv3Jm5Pd1Rs6Tn4Bc", []),
    ],
)
def test_a_text_s_traces_have_their_places(text: str, found: list[tuple[int, str]]) -> None:
    assert list(traces(text)) == found


def test_a_manifest_s_own_words_count_too_and_those_with_a_dash_stand_alone() -> None:
    assert [word for _, word in traces("acme pay-out repay-outs Acme2", ("acme", "pay-out"))] == [
        "acme",
        "pay-out",
        "Acme2",
    ]
