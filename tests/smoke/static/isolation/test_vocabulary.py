"""The words and hosts, and the quick look that must never pass over what a whole one would find."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.isolation.addresses import CONTRACTS, addresses
from smoke.static.isolation.base58check import encode
from smoke.static.isolation.hosts import hosts
from smoke.static.isolation.vocabulary import CANDIDATE, HOSTS, JOINED, OTHER_WORDS, WORDS, worth_reading
from smoke.static.isolation.words import traces

ADDRESS = encode(b"\x41" + bytes(range(20)))
PIECES = st.sampled_from(
    [
        *sorted(WORDS | {*HOSTS} | OTHER_WORDS),
        *CONTRACTS,
        *(
            "send",
            "Wallet",
            "TRC-20",
            "trc 10",
            "TRX",
            "nile",
            "just",
            "swap",
            "Lend",
            "sun",
            "usd",
            "t",
            "acme",
            "pay",
        ),
        *(
            " ",
            ".",
            "-",
            "_",
            "https://",
            "api.",
            "/",
            "0x41",
            "1",
            "\n",
            "neu",
            "elec",
            "\N{LATIN SMALL LETTER LONG S}",
        ),
        ADDRESS,
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from([(), ("acme",), ("pay-out", "ACME")]))
def test_what_is_not_worth_reading_holds_no_trace(text: str, more: tuple[str, ...]) -> None:
    """Most files are never read further: a trace that it passes over is never found."""
    found = [*traces(text, more), *hosts(text), *addresses(text)]
    assert worth_reading(text.encode(), more) or found == []


@pytest.mark.parametrize("text", [ADDRESS, *CONTRACTS, *(f"41{digits.upper()}" for digits in CONTRACTS)])
def test_an_address_is_worth_reading_where_nothing_else_is(text: str) -> None:
    assert worth_reading(text.encode()) and [found for _, found, _ in addresses(text)] == [text]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_are_looked_at_without_an_error(data: bytes) -> None:
    assert worth_reading(data + b" TrOn") and worth_reading(data) in (True, False)


@pytest.mark.parametrize("word", sorted(WORDS))
def test_each_word_is_found_by_what_is_looked_for_first(word: str) -> None:
    """`CANDIDATE` is the one thing that a text is searched for; what it misses is no word."""
    assert re.search(CANDIDATE, word) and worth_reading(word.upper().encode())
    assert [found for _, found in traces(f"a {word} b")] == [word]


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_is_found_in_a_url(host: str) -> None:
    assert worth_reading(host.encode()) and [found for _, found in hosts(f"https://{host}/x")] == [host]


@pytest.mark.parametrize("run", ["tronwallet", "sendtrx", "usdtpayments", "tousdt", "walletservicetrx", "trxtransfers"])
def test_words_run_together_with_their_companions_are_traces(run: str) -> None:
    assert JOINED.fullmatch(run) or JOINED.search(run)


@pytest.mark.parametrize(
    "run", ["neutron", "electron", "astronomy", "patron", "citron", "tronco", "metronet", *sorted(OTHER_WORDS)]
)
def test_words_that_only_have_the_letters_are_none(run: str) -> None:
    """Only companions that are words themselves make a trace, so that physics may be written about."""
    assert list(traces(run)) == []


def test_the_words_are_lower_case_and_no_word_is_excepted() -> None:
    assert all(word == word.lower() and word.isalnum() for word in WORDS | OTHER_WORDS) and not WORDS & OTHER_WORDS
