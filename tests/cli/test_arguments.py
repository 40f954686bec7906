"""What arguments mean: no value that is nearly what was meant."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.cli.arguments import chunk_size, duration, hex32
from lucid.cli.failure import Failure

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@settings(max_examples=50)
@given(st.integers(0, 999), st.sampled_from(sorted(UNITS)))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert duration(f"{number}{unit}") == number * UNITS[unit]


@pytest.mark.parametrize("text", ["", "s", "-1s", "1x", "soon", "nan", "1 h 2", "٤s"])
def test_what_is_no_duration_is_said(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="duration"):
        duration(text)


@pytest.mark.parametrize("text", ["7", " 7 ", "0"])
def test_a_bare_number_is_refused_where_people_think_in_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"needs a unit: {text.strip()}s, {text.strip()}m"):
        duration(text)


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32))
def test_32_bytes_are_64_digits_in_either_case(value: bytes) -> None:
    assert hex32("--key", value.hex()) == hex32("--key", value.hex().upper()) == value


@pytest.mark.parametrize("text", ["", "ab", "ab" * 31, "ab" * 33, "xy" * 32, "0x" + "ab" * 31])
def test_what_is_no_key_names_its_option(text: str) -> None:
    with pytest.raises(Failure) as refused:
        hex32("--key", text)
    assert str(refused.value) == f"--key: {text!r} must be 64 hexadecimal digits"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1024", 1_024), ("1KiB", 1_024), ("4MiB", 4 << 20), ("16MiB", 16 << 20), ("16384KiB", 16 << 20)],
)
def test_a_size_of_chunks_is_in_bytes_or_binary_units(text: str, size: int) -> None:
    assert chunk_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "1023", "17MiB", "16777217", "4 MiB", "4MB", "-1KiB", "1e4", "٤KiB", "1" * 10]
)
def test_what_is_no_size_of_chunks_is_said(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"must be a size within 1KiB\.\.16MiB"):
        chunk_size(text)
